// What jobs are measured by: how they ended, how long they took, how many run here now.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { JobKey } from './job.js';

/** `lost`: cancelled, or taken over by another node; `put-back`: to be tried again. */
export type JobOutcome = 'done' | 'failed' | 'lost' | 'put-back' | 'handed-over';

@Injectable()
export class JobsTelemetry {
  readonly #seconds: Histogram<'kind' | 'outcome'>;
  readonly #running: Gauge;
  readonly #dropped: Counter;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#seconds = new Histogram({
      name: 'tidemark_jobs_seconds',
      help: 'Time that this process worked on a job, by its kind and by how that ended.',
      labelNames: ['kind', 'outcome'],
      buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200],
      registers,
    });
    this.#running = new Gauge({
      name: 'tidemark_jobs_running_jobs',
      help: 'Jobs that this process works on.',
      registers,
    });
    this.#dropped = new Counter({
      name: 'tidemark_jobs_dropped_tables_total',
      help: 'Tables of expired results that this process dropped; each holds the results of an hour.',
      registers,
    });
  }

  began(): void {
    this.#running.inc();
  }

  ended(kind: string, outcome: JobOutcome, seconds: number): void {
    this.#running.dec();
    this.#seconds.observe({ kind, outcome }, seconds);
  }

  dropped(tables: number): void {
    this.#dropped.inc(tables);
  }

  takenOver({ id }: JobKey, tries: number): void {
    this.telemetry.log.warn({ job: id, tries }, 'a job is begun again, whoever worked on it is gone');
  }

  broke({ id }: JobKey, err: unknown): void {
    this.telemetry.log.error({ job: id, err }, 'a job broke off and is tried again');
  }

  unreachable(err: unknown): void {
    this.telemetry.log.warn({ err }, 'jobs cannot be looked for at the moment');
  }
}
