// Answers that are known as soon as a body's text is: sent before the request is routed and before the frameworks
// see it, whose requests, replies, hooks and guards cost more than such an answer. Only what is known is answered
// here. Whatever is unknown, refused or has failed goes to the route with the text that was read, so that
// there is one place where requests are refused.
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { patternOf } from './allowed-methods.js';
import type { HttpTelemetry } from './http.telemetry.js';
import { requestIdOf } from './request-id.js';
import { DATA_HEADERS, flat } from './security-headers.js';

/** Longer bodies are the route's to read. */
const BODY_BYTES_MAX = 16_384;
const METHOD = 'POST';
const DATA_HEADERS_FLAT = flat(DATA_HEADERS);

export interface EarlyRequest {
  readonly request: IncomingMessage;
  /** Of the body. */
  readonly text: string;
}

export interface KnownAnswer {
  readonly status: number;
  /** Names and values in turn, besides those that every answer has. */
  readonly headers: readonly string[];
  /** One character a byte. Absent: the status has none. */
  readonly body?: string;
}

/** Undefined, or a failure: the route answers. */
export type EarlyAnswer = (asked: EarlyRequest) => KnownAnswer | undefined | Promise<KnownAnswer | undefined>;

declare module 'fastify' {
  interface FastifyInstance {
    earlyAnswers: EarlyAnswers;
  }
  interface FastifyContextConfig {
    /** Set by `AnswersEarly`. */
    earlyAnswer?: string;
  }
}

declare module 'node:http' {
  interface IncomingMessage {
    /** Of the body, where it was read before the request was routed. */
    bodyText?: string;
  }
}

interface EarlyRoute {
  readonly name: string;
  readonly path: string;
  readonly pattern: RegExp;
}

/** One request on its way. */
interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: EarlyRoute;
  readonly atMs: number;
}

export class EarlyAnswers {
  readonly #byName = new Map<string, EarlyAnswer>();
  readonly #routes: EarlyRoute[] = [];
  #routed!: RequestListener;

  constructor(private readonly telemetry: HttpTelemetry) {}

  /** Must be called before the routes are registered. */
  follow(server: FastifyInstance): void {
    server.addHook('onRoute', ({ method, url, config }) => {
      const name = config?.earlyAnswer;
      if (name !== undefined && method === METHOD)
        this.#routes.push({ name, path: url, pattern: patternOf(url) });
    });
    const http = server.server;
    this.#routed = http.listeners('request')[0] as RequestListener;
    http.removeListener('request', this.#routed).on('request', (request, response) => {
      const route = this.#routeOf(request);
      // A server that is closing says so in its answers.
      if (route === undefined || !http.listening) this.#routed(request, response);
      else this.#read({ request, response, route, atMs: performance.now() });
    });
  }

  /** `name` as the route says it. */
  give(name: string, answer: EarlyAnswer): void {
    this.#byName.set(name, answer);
  }

  #routeOf({ method, url }: IncomingMessage): EarlyRoute | undefined {
    if (method !== METHOD) return undefined;
    for (const route of this.#routes) if (route.pattern.test(url!)) return route;
    return undefined;
  }

  #read(arrived: Arrived): void {
    const { request, response, route } = arrived;
    const answer = this.#byName.get(route.name);
    const length = lengthOf(request.headers);
    if (answer === undefined || length === undefined) return this.#routed(request, response);
    const read = () => {
      const bytes = request.read(length) as Buffer | null;
      // It never comes if the client hangs up; if it dawdles, the server's time limit ends it.
      if (bytes === null) request.once('readable', read);
      else this.#ask(answer, arrived, bytes.toString());
    };
    // From now on somebody reads it, so that Node need not empty it once more when it is answered.
    request.read(0);
    // Then the parser is through with what the socket had, as a rule the whole body.
    process.nextTick(read);
  }

  #ask(answer: EarlyAnswer, arrived: Arrived, text: string): void {
    const { request, response } = arrived;
    const route = (): void => {
      request.bodyText = text;
      this.#routed(request, response);
    };
    const send = (known: KnownAnswer | undefined): void =>
      known === undefined ? route() : this.#send(known, arrived);
    let known: ReturnType<EarlyAnswer>;
    try {
      known = answer({ request, text });
    } catch {
      // The route's handler meets the same, and says it.
      return route();
    }
    if (known instanceof Promise) known.then(send, route);
    else send(known);
  }

  #send({ status, headers, body }: KnownAnswer, { request, response, route, atMs }: Arrived): void {
    const id = requestIdOf(request);
    const head = [...DATA_HEADERS_FLAT, 'x-request-id', id, ...headers];
    if (body !== undefined) head.push('content-length', String(body.length));
    response.writeHead(status, head);
    if (body === undefined) response.end();
    else response.end(body, 'latin1');
    const durationMs = performance.now() - atMs;
    this.telemetry.answered({ id, method: METHOD, route: route.path, status, durationMs });
  }
}

/** Undefined: not JSON as it is, or not of a length that is said and read here. */
function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  const length = Number(headers['content-length']);
  if (!(length > 0 && length <= BODY_BYTES_MAX) || headers['content-encoding'] !== undefined)
    return undefined;
  return headers['content-type']?.toLowerCase().startsWith('application/json') ? length : undefined;
}
