// What erasing measures: how many deleted sites are due, how many rows are gone, and what went wrong.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';

@Injectable()
export class DeletionTelemetry {
  readonly #rows: Counter;
  readonly #failures: Counter;
  readonly #due: Gauge;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#rows = new Counter({
      name: 'tidemark_deletion_rows_total',
      help: 'Rows of deleted sites and merchants that this process has erased.',
      registers,
    });
    this.#failures = new Counter({
      name: 'tidemark_deletion_failures_total',
      help: 'Rounds for a deleted site, merchant or person that failed; each is made again a minute later.',
      registers,
    });
    this.#due = new Gauge({
      name: 'tidemark_deletion_sites_due',
      help: 'Deleted sites whose grace is over and whose rows are not erased yet, as this process last looked.',
      registers,
    });
  }

  due(sites: number): void {
    this.#due.set(sites);
  }

  erased(rows: number): void {
    this.#rows.inc(rows);
  }

  failed(subject: string, err: unknown): void {
    this.#failures.inc();
    this.telemetry.log.warn({ err, subject }, 'what was deleted cannot be erased at the moment');
  }
}
