// What the projector measures and says.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { Partition } from '../../tracking-log/tracking-log.js';

export interface RunCommitted {
  readonly partition: Partition;
  readonly events: number;
  readonly repeats: number;
  readonly conflicts: number;
  readonly deadLetters: number;
  readonly sessions: number;
  readonly eventsInMemory: number;
  readonly foldSeconds: number;
  readonly commitSeconds: number;
  /** From the append of the run's last batch until its rows were visible. */
  readonly lagSeconds: number;
}

@Injectable()
export class ProjectionsTelemetry {
  readonly #events: Counter<'outcome'>;
  readonly #conflicts: Counter;
  readonly #restarts: Counter;
  readonly #foldSeconds: Histogram;
  readonly #commitSeconds: Histogram;
  readonly #lagSeconds: Gauge<'partition'>;
  readonly #memory: Gauge<'partition'>;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#events = new Counter({
      name: 'tidemark_projections_events_total',
      help: 'Events read from the log, by what became of them.',
      labelNames: ['outcome'],
      registers,
    });
    this.#conflicts = new Counter({
      name: 'tidemark_projections_conflicts_total',
      help: 'Repeated event ids whose content differed; the one received first was kept.',
      registers,
    });
    this.#restarts = new Counter({
      name: 'tidemark_projections_restarts_total',
      help: 'Times a partition was started over from its checkpoint after a failure.',
      registers,
    });
    this.#foldSeconds = new Histogram({
      name: 'tidemark_projections_fold_seconds',
      help: 'Interpreting and folding one run.',
      buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.#commitSeconds = new Histogram({
      name: 'tidemark_projections_commit_seconds',
      help: 'Committing one run to PostgreSQL.',
      buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.#lagSeconds = new Gauge({
      name: 'tidemark_projections_lag_seconds',
      help: 'From the append of the last committed batch until its rows were visible.',
      labelNames: ['partition'],
      registers,
    });
    this.#memory = new Gauge({
      name: 'tidemark_projections_memory_events',
      help: 'Events of recent sessions, and their visitors, kept in memory.',
      labelNames: ['partition'],
      registers,
    });
  }

  runCommitted(run: RunCommitted): void {
    this.#events.inc({ outcome: 'folded' }, run.events - run.repeats - run.deadLetters);
    this.#events.inc({ outcome: 'duplicate' }, run.repeats);
    this.#events.inc({ outcome: 'dead_letter' }, run.deadLetters);
    this.#conflicts.inc(run.conflicts);
    this.#foldSeconds.observe(run.foldSeconds);
    this.#commitSeconds.observe(run.commitSeconds);
    this.#lagSeconds.set({ partition: run.partition }, run.lagSeconds);
    this.#memory.set({ partition: run.partition }, run.eventsInMemory);
    this.telemetry.log.debug(run, 'run committed');
  }

  deadLettered(partition: Partition, count: number): void {
    this.telemetry.log.error({ partition, count }, 'events could not be folded: see dead_letters');
  }

  partitionRestarted(partition: Partition, reason: string): void {
    this.#restarts.inc();
    this.telemetry.log.warn({ partition, reason }, 'partition is started over from its checkpoint');
  }

  idle(partition: Partition): void {
    this.#lagSeconds.set({ partition }, 0);
  }
}
