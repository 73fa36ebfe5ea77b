// What clustering measures and says.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';

@Injectable()
export class ClusteringTelemetry {
  readonly #rows: Counter;
  readonly #moveSeconds: Histogram;
  readonly #due: Gauge<'version'>;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#rows = new Counter({
      name: 'tidemark_clustering_rows_total',
      help: 'Session rows of days that are over, rewritten in the order of their key.',
      registers,
    });
    this.#moveSeconds = new Histogram({
      name: 'tidemark_clustering_move_seconds',
      help: 'Rewriting some of them; one partition is not projected meanwhile.',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.#due = new Gauge({
      name: 'tidemark_clustering_days_due',
      help: 'Days that are over and whose rows still lie as they came, by version; told by the process that clusters it.',
      labelNames: ['version'],
      registers,
    });
  }

  moved(rows: number, tookMs: number): void {
    this.#rows.inc(rows);
    this.#moveSeconds.observe(tookMs / 1_000);
  }

  due(version: number, days: number): void {
    this.#due.set({ version }, days);
  }

  failed(version: number, error: unknown): void {
    this.telemetry.log.warn(
      { version, err: error },
      'a day could not be clustered: its sites are answered more slowly until it is; trying again',
    );
  }

  ended(version: number): void {
    this.#due.remove({ version });
  }
}
