// What erasing measures: how many deleted sites are due, how many rows are gone, and what went wrong.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';

@Injectable()
export class DeletionTelemetry {
  readonly #rows: Counter;
  readonly #failures: Counter;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#rows = new Counter({
      name: 'tidemark_deletion_rows_total',
      help: 'Rows of deleted sites that this process has erased.',
      registers,
    });
    this.#failures = new Counter({
      name: 'tidemark_deletion_failures_total',
      help: 'Passes over the rows of a deleted site that failed; each is made again a minute later.',
      registers,
    });
  }

  /** @param due deleted sites whose grace is over and whose rows are not known to be erased */
  watch(due: () => number): void {
    new Gauge({
      name: 'tidemark_deletion_sites_due',
      help: 'Deleted sites whose grace is over and whose rows are not erased yet.',
      registers: [this.telemetry.registry],
      collect() {
        this.set(due());
      },
    });
  }

  erased(rows: number): void {
    this.#rows.inc(rows);
  }

  failed(site: string, err: unknown): void {
    this.#failures.inc();
    this.telemetry.log.warn({ err, site }, 'rows of a deleted site cannot be erased at the moment');
  }
}
