// Answers that are known as soon as a body's text is: given before the text is parsed and before the framework
// behind the router is asked, whose guards, pipes and interceptors cost more than such an answer. Whoever
// gives them must refuse whom the route refuses, or leave the request to it.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { readBody } from './body.js';

export interface EarlyRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Of the body. */
  readonly text: string;
}

/**
 * Whether the request has been answered; at once if it has not. What is thrown is answered as if the route's
 * handler had thrown it.
 */
export type EarlyAnswer = (asked: EarlyRequest) => false | Promise<boolean>;

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

  #hookOf(name: string): Exclude<RouteOptions['preParsing'], readonly unknown[] | undefined> {
    return (request, reply, payload, done) => {
      const answer = this.#byName.get(name);
      if (answer === undefined || !isJson(request)) return done(null, payload);
      readBody(request, request.raw, (error, bytes) => {
        if (error) return done(error as never);
        const text = bytes!.toString('utf8');
        request.bodyText = text;
        const answering = answer({ request, reply, text });
        if (answering === false) return done(null, payload);
        answering.then(
          (answered) => void (answered || done(null, payload)),
          (failure: Error) => done(failure as never),
        );
      });
    };
  }
}

const isJson = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.toLowerCase().startsWith('application/json') ?? false;
