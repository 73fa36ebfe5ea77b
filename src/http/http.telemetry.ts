// What is measured and logged about every request: its route (never its path or query, which may
// hold identifiers), method, status and time. No address and no key is ever written.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metric } from 'prom-client';
import type { Telemetry } from '../telemetry/telemetry.js';
import { EVENT_STREAM } from './route-kind.js';

const NAME = 'tidemark_http_request_duration_seconds';
const DESCRIPTION = {
  name: NAME,
  help: 'Time from the arrival of the request line to the end of the answer.',
  type: 'histogram',
} as const;
const BOUNDS_MS = [1, 5, 25, 100, 500, 2_500, 10_000];

/** Requests of one method, route and status. */
interface Tally {
  readonly labels: { readonly method: string; readonly route: string; readonly status: number };
  /** How many took at most the bound at the same place; longer ones are in `count` only. */
  readonly withinBound: number[];
  count: number;
  sumMs: number;
}

export class HttpTelemetry {
  private readonly tallies = new Map<string, Tally>();

  constructor(private readonly telemetry: Telemetry) {
    // Counted here and not by prom-client's Histogram, which spends 4 µs on the labels of each request.
    const series = async () => ({ ...DESCRIPTION, values: [...this.tallies.values()].flatMap(seriesOf) });
    telemetry.registry.registerMetric({ ...DESCRIPTION, get: series } as unknown as Metric);
  }

  follow(server: FastifyInstance): void {
    const debug = this.telemetry.log.isLevelEnabled('debug');
    server.addHook('onResponse', (request, reply, done) => {
      if (reply.getHeader('content-type') !== EVENT_STREAM) this.count(request, reply);
      if (debug || reply.statusCode >= 500) this.log(request, reply);
      done();
    });
  }

  private count(request: FastifyRequest, reply: FastifyReply): void {
    const tally = this.tallyOf(request.method, request.routeOptions.url ?? 'none', reply.statusCode);
    const durationMs = reply.elapsedTime;
    tally.count += 1;
    tally.sumMs += durationMs;
    for (let at = BOUNDS_MS.length - 1; at >= 0 && durationMs <= BOUNDS_MS[at]!; at--)
      tally.withinBound[at]! += 1;
  }

  private tallyOf(method: string, route: string, status: number): Tally {
    const key = `${method} ${status} ${route}`;
    let tally = this.tallies.get(key);
    if (!tally) {
      const withinBound = BOUNDS_MS.map(() => 0);
      this.tallies.set(key, (tally = { labels: { method, route, status }, withinBound, count: 0, sumMs: 0 }));
    }
    return tally;
  }

  private log(request: FastifyRequest, reply: FastifyReply): void {
    const level = reply.statusCode >= 500 ? 'warn' : 'debug';
    this.telemetry.log[level](
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime),
      },
      'request answered',
    );
  }
}

function seriesOf({ labels, withinBound, count, sumMs }: Tally) {
  const buckets = BOUNDS_MS.map((bound, at) => ({ le: bound / 1000, value: withinBound[at]! }));
  return [
    ...[...buckets, { le: '+Inf', value: count }].map(({ le, value }) => ({
      metricName: `${NAME}_bucket`,
      labels: { le, ...labels },
      value,
    })),
    { metricName: `${NAME}_sum`, labels, value: sumMs / 1000 },
    { metricName: `${NAME}_count`, labels, value: count },
  ];
}
