// What the projector measures and says.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { DeadLetter } from './dead-letters/dead-letter.js';
import type { Feed } from './feed.js';

export interface RunCommitted {
  readonly feed: Feed;
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
  readonly #events: Counter<'outcome' | 'version'>;
  readonly #conflicts: Counter;
  readonly #abandoned: Counter;
  readonly #restarts: Counter;
  readonly #foldSeconds: Histogram;
  readonly #commitSeconds: Histogram;
  readonly #lagSeconds: Gauge<keyof Feed>;
  readonly #memory: Gauge<keyof Feed>;
  readonly #halted: Gauge;
  readonly #notFed = new Set<number>();
  readonly #unknownEvents: Counter<'schema'>;
  readonly #schemasSaid = new Set<number>();

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#events = new Counter({
      name: 'tidemark_projections_events_total',
      help: 'Events read from the log, by what became of them.',
      labelNames: ['outcome', 'version'],
      registers,
    });
    this.#conflicts = new Counter({
      name: 'tidemark_projections_conflicts_total',
      help: 'Repeated event ids whose content differed; the one received first was kept.',
      registers,
    });
    this.#abandoned = new Counter({
      name: 'tidemark_projections_runs_abandoned_total',
      help: 'Runs that were not written because another projector had moved the checkpoint.',
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
      labelNames: ['partition', 'version'],
      registers,
    });
    this.#memory = new Gauge({
      name: 'tidemark_projections_memory_events',
      help: 'Events of recent sessions, and their visitors, kept in memory; one more for every 512 characters that an event has.',
      labelNames: ['partition', 'version'],
      registers,
    });
    this.#halted = new Gauge({
      name: 'tidemark_projections_partitions_halted',
      help: 'Partitions of this process that stand still because the log does not hold what follows their checkpoint.',
      registers,
    });
    this.#unknownEvents = new Counter({
      name: 'tidemark_projections_unknown_events_total',
      help: 'Events passed over because only a newer version can read their schema; kept as dead letters.',
      labelNames: ['schema'],
      registers,
    });
  }

  /** Batches of newer versions: counted always, said once for each schema. */
  passedOver(deadLetters: readonly DeadLetter[]): void {
    for (const letter of deadLetters) {
      if (letter.kind === 'event') continue;
      const { schema, events } = letter.unknown;
      this.#unknownEvents.inc({ schema }, events);
      if (this.#schemasSaid.has(schema)) continue;
      this.#schemasSaid.add(schema);
      const { partition, position } = letter;
      this.telemetry.log.error(
        { schema, partition, position },
        'the log holds events of a newer version: they are passed over and kept as dead letters, to be ' +
          'replayed when that version runs; this is said once for each schema',
      );
    }
  }

  runCommitted(run: RunCommitted): void {
    const { version } = run.feed;
    this.#events.inc({ outcome: 'folded', version }, run.events - run.repeats - run.deadLetters);
    this.#events.inc({ outcome: 'duplicate', version }, run.repeats);
    this.#events.inc({ outcome: 'dead_letter', version }, run.deadLetters);
    this.#conflicts.inc(run.conflicts);
    this.#foldSeconds.observe(run.foldSeconds);
    this.#commitSeconds.observe(run.commitSeconds);
    this.#lagSeconds.set({ ...run.feed }, run.lagSeconds);
    this.#memory.set({ ...run.feed }, run.eventsInMemory);
    this.telemetry.log.debug(run, 'run committed');
  }

  runAbandoned(): void {
    this.#abandoned.inc();
  }

  deadLettered(feed: Feed, count: number): void {
    this.telemetry.log.error({ ...feed, count }, 'events could not be folded: see `tidemark dead-letters`');
  }

  partitionRestarted(feed: Feed, reason: string): void {
    this.#restarts.inc();
    this.telemetry.log.warn({ ...feed, reason }, 'partition is started over from its checkpoint');
  }

  partitionHalted(
    feed: Feed,
    { reason, halted }: { readonly reason: string; readonly halted: number },
  ): void {
    this.#halted.set(halted);
    this.telemetry.log.error(
      { ...feed, reason },
      'partition is halted until the log that its checkpoint belongs to is back, or until it is told to go on ' +
        'with what the log holds, by which what was lost stays lost and what was folded already is recognized: ' +
        `UPDATE checkpoints SET position = NULL WHERE partition = ${feed.partition} AND version = ${feed.version}`,
    );
  }

  partitionReleased(feed: Feed, halted: number): void {
    this.#halted.set(halted);
    this.telemetry.log.info({ ...feed }, 'partition is no longer halted here');
  }

  rebuildFailed(version: number, error: string): void {
    this.telemetry.log.error(
      { version, error },
      'a rebuild cannot go on: mend the cause and resume it, or cancel it',
    );
  }

  rebuildLookFailed(err: unknown): void {
    this.telemetry.log.warn({ err }, 'could not find out how the rebuild stands');
  }

  logEndNotTold(partition: number, err: unknown): void {
    this.telemetry.log.debug({ partition, err }, 'the end of the log could not be told');
  }

  versionRemoved(version: number): void {
    this.telemetry.log.info({ version }, 'the tables of a retired version are gone');
  }

  versionNotRemoved(version: number, err: unknown): void {
    this.telemetry.log.warn({ version, err }, 'the tables of a retired version could not be removed yet');
  }

  /** Said once for each. */
  versionNotFed({ version, definition }: { readonly version: number; readonly definition: number }): void {
    if (this.#notFed.has(version)) return;
    this.#notFed.add(version);
    this.telemetry.log.warn(
      { version, definition },
      'a version of the read models stands still: this program does not have the definition it was built by',
    );
  }

  idle(feed: Feed): void {
    this.#lagSeconds.set({ ...feed }, 0);
  }

  /** No longer fed here: what it measured last would stand for ever. */
  ended(feed: Feed): void {
    this.#lagSeconds.remove({ ...feed });
    this.#memory.remove({ ...feed });
  }
}
