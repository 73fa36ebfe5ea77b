// What realtime measures: streams that are open, and what the snapshots behind them cost. Requests of
// streams are not among those that the HTTP layer times: they last as long as somebody watches.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';

@Injectable()
export class RealtimeTelemetry {
  readonly #streams: Gauge;
  readonly #seconds: Histogram;
  readonly #failures: Counter;

  constructor({ registry }: Telemetry) {
    this.#streams = new Gauge({
      name: 'tidemark_query_realtime_streams',
      help: 'Event streams of realtime numbers that are open.',
      registers: [registry],
    });
    this.#seconds = new Histogram({
      name: 'tidemark_query_realtime_snapshot_seconds',
      help: "Time to compute one site's realtime numbers, for everybody who asks within a beat.",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    });
    this.#failures = new Counter({
      name: 'tidemark_query_realtime_failures_total',
      help: 'Computations of realtime numbers that failed.',
      registers: [registry],
    });
  }

  opened(): void {
    this.#streams.inc();
  }

  closed(): void {
    this.#streams.dec();
  }

  computed(seconds: number): void {
    this.#seconds.observe(seconds);
  }

  failed(): void {
    this.#failures.inc();
  }
}
