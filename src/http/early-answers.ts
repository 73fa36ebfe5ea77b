// Answers that are known as soon as a body's text is: given before the text is parsed and before the framework
// behind the router is asked, whose guards, pipes and interceptors cost more than such an answer. Whoever
// gives them must refuse whom the route refuses, or leave the request to it.
import type { FastifyInstance, FastifyReply, FastifyRequest, preParsingAsyncHookHandler } from 'fastify';
import { readBody } from './body.js';

export interface EarlyRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Of the body. */
  readonly text: string;
}

/**
 * Sends the answer, or leaves the request to the route's handler. What is thrown is answered as if the handler had
 * thrown it.
 */
export type EarlyAnswer = (asked: EarlyRequest) => Promise<void>;

declare module 'fastify' {
  interface FastifyInstance {
    earlyAnswers: EarlyAnswers;
  }
  interface FastifyContextConfig {
    /** Set by `AnswersEarly`. */
    earlyAnswer?: string;
  }
  interface FastifyRequest {
    /** Of a route that answers early. */
    bodyText?: string;
  }
}

export class EarlyAnswers {
  readonly #byName = new Map<string, EarlyAnswer>();

  /** Must be called before the routes are registered. */
  follow(server: FastifyInstance): void {
    server.addHook('onRoute', (route) => {
      const name = route.config?.earlyAnswer;
      if (name !== undefined) route.preParsing = [this.#hookOf(name)];
    });
  }

  /** `name` as the route says it. */
  give(name: string, answer: EarlyAnswer): void {
    this.#byName.set(name, answer);
  }

  #hookOf(name: string): preParsingAsyncHookHandler {
    return async (request, reply, payload) => {
      const answer = this.#byName.get(name);
      if (answer === undefined || !isJson(request)) return payload;
      const text = await textOf(request);
      request.bodyText = text;
      // Once the reply is sent, the payload leads nowhere.
      await answer({ request, reply, text });
      return payload;
    };
  }
}

const textOf = (request: FastifyRequest): Promise<string> =>
  new Promise((resolve, reject) => {
    readBody(request, request.raw, (error, bytes) =>
      error ? reject(error) : resolve(bytes!.toString('utf8')),
    );
  });

const isJson = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.toLowerCase().startsWith('application/json') ?? false;
