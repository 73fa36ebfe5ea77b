// What is measured and logged about every request: its route (never its path or query, which may
// hold identifiers), method, status and time. No address and no key is ever written.
import type { FastifyInstance } from 'fastify';
import { TalliedHistogram } from '../telemetry/tallied-histogram.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { EVENT_STREAM } from './route-kind.js';

interface AnsweredRequest {
  readonly id: string;
  readonly method: string;
  /** Undefined: nothing is at this path. */
  readonly route: string | undefined;
  readonly status: number;
  readonly durationMs: number;
}

export class HttpTelemetry {
  readonly #seconds: TalliedHistogram;
  readonly #debug: boolean;

  constructor(private readonly telemetry: Telemetry) {
    this.#debug = telemetry.log.isLevelEnabled('debug');
    this.#seconds = new TalliedHistogram(telemetry.registry, {
      name: 'tidemark_http_request_duration_seconds',
      help: 'Time from the arrival of the request line to the end of the answer.',
      boundsSeconds: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    });
  }

  follow(server: FastifyInstance): void {
    server.addHook('onResponse', (request, reply, done) => {
      const answered = {
        id: request.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        durationMs: reply.elapsedTime,
      };
      if (reply.getHeader('content-type') === EVENT_STREAM) this.#log(answered);
      else this.answered(answered);
      done();
    });
  }

  answered(request: AnsweredRequest): void {
    const { method, route = 'none', status, durationMs } = request;
    this.#seconds
      .of(`${method} ${status} ${route}`, () => ({ method, route, status }))
      .observe(durationMs / 1000);
    this.#log(request);
  }

  #log({ id, method, route, status, durationMs }: AnsweredRequest): void {
    if (!this.#debug && status < 500) return;
    this.telemetry.log[status >= 500 ? 'warn' : 'debug'](
      { requestId: id, method, route, status, durationMs: Math.round(durationMs) },
      'request answered',
    );
  }
}
