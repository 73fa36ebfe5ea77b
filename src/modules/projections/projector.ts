// One partition's way from the log to the read models: gather a run, fold it, commit it; and fold
// the next run while the last one commits. Whatever fails, it starts over from the checkpoint,
// which moved with the rows or not at all.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Position, RecordedBatch, TrackingLog } from '../../tracking-log/tracking-log.js';
import type { Checkpoints, Move } from './checkpoint.js';
import { type Commit, Committer } from './commit.js';
import { eventsIn } from './dead-letters/dead-letter.js';
import type { BudgetShare, EventBudget } from './event-budget.js';
import type { Feed } from './feed.js';
import { fold, type Folded } from './fold.js';
import { gather } from './gather.js';
import type { HaltedPartitions } from './halted-partitions.js';
import {
  type DeletedSiteIds,
  interpretBatch,
  interpretBatches,
  type InterpretedBatch,
} from './interpreted-batches.js';
import type { Interpret } from './interpret/interpret.js';
import type { Projection } from './projection.js';
import type { ProjectionsTelemetry } from './projections.telemetry.js';
import type { ReadVisitors } from './session-reader.js';
import { Timelines } from './timelines.js';

const IDLE_MS = 1_000;
const RESTART_DELAY_MIN_MS = 100;
const RESTART_DELAY_MAX_MS = 10_000;
/**
 * Runs are measured by weight, which for events of short texts is their number. The weight of all events of
 * the visitors that a run touches, compared with what a run may weigh: beyond it, runs get smaller.
 */
const TOUCHED_PER_RUN_MAX = 1;
const RUN_WEIGHT_MIN = 200;
const RUN_GROWTH_MAX = 4;
/** So often a run is tried before it is taken apart in search of the event that cannot be folded. */
const TRIES_MAX = 3;

export interface ProjectorOptions {
  readonly log: TrackingLog;
  readonly pool: Pool;
  readonly checkpoints: Checkpoints;
  readonly projections: readonly Projection[];
  readonly interpret: Interpret;
  /** Whose events go in; null: all. */
  readonly sites: ReadonlySet<string> | null;
  readonly deleted: DeletedSiteIds;
  readonly read: ReadVisitors;
  readonly telemetry: ProjectionsTelemetry;
  readonly flushEventsMax: number;
  readonly flushIntervalMs: number;
  /** For this partition; asked again and again, as partitions come and go. */
  readonly eventsInMemoryMax: () => number;
  /** Shared by the partitions of the process. */
  readonly budget: EventBudget;
  /** Settles once it is known whose the partition is; aborts the signal if another's. */
  readonly recheck: () => Promise<void>;
  readonly halted: HaltedPartitions;
  /** How often a halted partition looks whether somebody has mended it. */
  readonly haltedLookMs: number;
}

/** Another projector moved the checkpoint: what was folded here is not to be written. */
class PartitionLostError extends Error {
  override readonly name = 'PartitionLostError';
}

export class PartitionProjector {
  readonly #timelines: Timelines;
  readonly #committer: Committer;
  readonly #budget: BudgetShare;
  #committing: Promise<void> = Promise.resolve();
  #run = 0;
  /**
   * Long sessions are rewritten as a whole: then fewer events at a time keep memory bounded. At first nobody
   * knows how long they are.
   */
  #runWeightMax = RUN_WEIGHT_MIN;
  /** Failures at the present checkpoint that PostgreSQL's absence does not explain. */
  #failures = 0;

  constructor(
    private readonly feed: Feed,
    private readonly options: ProjectorOptions,
  ) {
    this.#committer = new Committer(options.pool, options.projections);
    this.#timelines = this.#newTimelines();
    this.#budget = options.budget.share();
  }

  /** Until the signal; never throws. */
  async project(signal: AbortSignal): Promise<void> {
    let delayMs = RESTART_DELAY_MIN_MS;
    while (!signal.aborted) {
      const runsBefore = this.#run;
      try {
        await this.#follow(signal);
      } catch (error) {
        // Of two that want to go on, the one that is assigned the partition does.
        if (error instanceof PartitionLostError) await this.options.recheck();
        if (signal.aborted) break;
        if (this.options.halted.haltAt(error, this.feed)) {
          await sleep(this.options.haltedLookMs, undefined, { signal }).catch(() => {});
          continue;
        }
        if (!isTransient(error)) this.#failures++;
        if (this.#run > runsBefore + 1) delayMs = RESTART_DELAY_MIN_MS;
        this.options.telemetry.partitionRestarted(this.feed, describe(error));
        await sleep(delayMs, undefined, { signal }).catch(() => {});
        delayMs = Math.min(delayMs * 2, RESTART_DELAY_MAX_MS);
      }
    }
    this.options.halted.release(this.feed);
    this.options.telemetry.ended(this.feed);
    this.#budget.giveBackAll();
  }

  /** From the checkpoint on, until the signal or a failure. */
  async #follow(signal: AbortSignal): Promise<void> {
    this.#timelines.clear();
    this.#committer.reset();
    this.#budget.giveBackAll();
    this.#committing = Promise.resolve();
    const reading = new AbortController();
    const stop = () => reading.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const start = await this.options.checkpoints.read(this.feed.partition);
      await this.#followFrom(start, reading.signal);
    } finally {
      signal.removeEventListener('abort', stop);
      reading.abort();
      await this.#committing.catch(() => {});
    }
  }

  async #followFrom(start: Position | null, signal: AbortSignal): Promise<void> {
    const { log, flushIntervalMs } = this.options;
    const batches = log.read(this.feed.partition, start, {
      ...{ follow: true, signal },
      unknownBatches: 'pass-over',
    });
    if (this.#failures >= TRIES_MAX) return this.#commitCarefully(batches, start);
    const interpreted = interpretBatches(batches, this.#interpreting);
    const gathering = {
      weightMax: () => this.#runWeightMax,
      intervalMs: flushIntervalMs,
      idleMs: IDLE_MS,
      budget: this.#budget,
    };
    let from = start;
    for await (const run of gather(interpreted, gathering)) {
      const last = run.at(-1);
      if (last === undefined) {
        await this.#idle(from);
        continue;
      }
      await this.#commitOverlapped(run, {
        partition: this.feed.partition,
        from,
        to: last.position,
        readUntil: last.appendedAt,
      });
      from = last.position;
    }
    await this.#committing;
  }

  /** Folds while the last run commits, then hands over. */
  async #commitOverlapped(batches: readonly InterpretedBatch[], move: Omit<Move, 'events'>): Promise<void> {
    const run = ++this.#run;
    const startedAt = performance.now();
    const folded = await this.#fold(batches, run, this.#timelines);
    const foldSeconds = (performance.now() - startedAt) / 1_000;
    this.#adjustRuns(folded);
    await this.#committing;
    this.#timelines.forget(run - 1);
    this.#committing = this.#commit(folded, { ...move, events: folded.events }, foldSeconds).then(() =>
      this.#budget.giveBack(folded.weight),
    );
    // Awaited before the next hand-over; until then a failure is nobody's unhandled rejection.
    this.#committing.catch(() => {});
  }

  #adjustRuns({ weight, touchedWeight }: Folded): void {
    const { flushEventsMax } = this.options;
    const wanted = (weight * TOUCHED_PER_RUN_MAX * flushEventsMax) / Math.max(touchedWeight, 1);
    // Growing step by step: the next run may touch longer sessions again.
    const next = Math.min(wanted, this.#runWeightMax * RUN_GROWTH_MAX, flushEventsMax);
    this.#runWeightMax = Math.max(Math.floor(next), Math.min(RUN_WEIGHT_MIN, flushEventsMax));
  }

  async #commit(folded: Folded, move: Move, foldSeconds: number): Promise<void> {
    const startedAt = performance.now();
    const { flush, deadLetters } = folded;
    const outcome = await this.#committer.commit({ ...this.#moving(move), flush, deadLetters, mode: 'real' });
    if (outcome === 'partition-lost') {
      this.options.telemetry.runAbandoned();
      throw new PartitionLostError(
        `The checkpoint of partition ${this.feed.partition} was moved by another projector`,
      );
    }
    flush.release();
    this.#failures = 0;
    this.options.halted.release(this.feed);
    if (deadLetters.length > 0) this.options.telemetry.deadLettered(this.feed, deadLetters.length);
    this.options.telemetry.passedOver(deadLetters);
    this.options.telemetry.runCommitted({
      feed: this.feed,
      events: folded.events,
      repeats: flush.repeats,
      conflicts: flush.conflicts,
      deadLetters: eventsIn(deadLetters),
      sessions: folded.sessions,
      eventsInMemory: this.#timelines.weight,
      foldSeconds,
      commitSeconds: (performance.now() - startedAt) / 1_000,
      lagSeconds: (Date.now() - move.readUntil) / 1_000,
    });
  }

  /**
   * One batch at a time, without those of its events that fail even alone, until a batch that had
   * one is behind: then all is well again, or a later failure brings us back here.
   */
  async #commitCarefully(batches: AsyncIterable<RecordedBatch>, start: Position | null): Promise<void> {
    let from = start;
    for await (const batch of batches) {
      const move = { partition: this.feed.partition, from, to: batch.position, readUntil: batch.appendedAt };
      const poison = await this.#findPoison(batch, move);
      const run = [interpretBatch(batch, { ...this.#interpreting, poison })];
      const folded = await this.#fold(run, ++this.#run, this.#timelines);
      await this.#commit(folded, { ...move, events: folded.events }, 0);
      if (poison.size > 0 || folded.deadLetters.length > 0) return;
      from = batch.position;
    }
  }

  /** Places of the events that cannot be folded and stored, each tried alone and rolled back, with the reason. */
  async #findPoison(batch: RecordedBatch, move: Omit<Move, 'events'>): Promise<ReadonlyMap<number, string>> {
    const poison = new Map<number, string>();
    for (const [index, event] of batch.events.entries()) {
      try {
        const alone = [interpretBatch({ ...batch, events: [event] }, this.#interpreting)];
        const { flush } = await this.#fold(alone, 1, this.#newTimelines());
        const moving = this.#moving({ ...move, events: 1 });
        await this.#committer.commit({ ...moving, flush, deadLetters: [], mode: 'trial' });
      } catch (error) {
        if (isTransient(error)) throw error;
        poison.set(index, describe(error));
      } finally {
        this.#committer.reset();
      }
    }
    return poison;
  }

  async #idle(position: Position | null): Promise<void> {
    await this.#committing;
    this.#timelines.forget(this.#run);
    const readUntil = Date.now();
    if ((await this.options.log.end(this.feed.partition)) !== position) return;
    await this.options.checkpoints.touch(this.feed.partition, position, readUntil);
    this.options.halted.release(this.feed);
    this.options.telemetry.idle(this.feed);
  }

  #moving(move: Move): Pick<Commit, 'partition' | 'position' | 'advance'> {
    const { checkpoints } = this.options;
    const { partition, to: position } = move;
    return { partition, position, advance: (client) => checkpoints.move(client, move) };
  }

  get #interpreting() {
    const { projections, interpret, sites, deleted } = this.options;
    return { partition: this.feed.partition, projections, interpret, sites, deleted };
  }

  #fold(batches: readonly InterpretedBatch[], run: number, timelines: Timelines): Promise<Folded> {
    const { projections } = this.options;
    return fold(batches, { partition: this.feed.partition, run, projections, timelines });
  }

  #newTimelines(): Timelines {
    return new Timelines({
      partition: this.feed.partition,
      weightMax: this.options.eventsInMemoryMax,
      read: this.options.read,
      settled: () => this.#committing,
    });
  }
}

/** PostgreSQL away, restarting, full, or another transaction in the way: not the event's fault. */
export function isTransient(error: unknown): boolean {
  if (error instanceof PartitionLostError) return true;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return /connection|timeout/i.test(describe(error));
  return !/^(22|23|42|54)/.test(code) || code.startsWith('E');
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
