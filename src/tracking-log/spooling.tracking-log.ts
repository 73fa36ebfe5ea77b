// A log on other machines, with a spool on this one: what the log does not take in time is made durable
// here and answered as spooled, and a drainer appends it to the log once that answers again. While
// anything of a partition waits, its new batches go behind it: what one process acknowledged one after
// the other first appears in the log in that order. A batch leaves the spool after the log acknowledged
// it, so it may appear twice: readers drop repeats by event id.
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../waiting/backoff.js';
import type { EncodedEvent } from './batch-codec.js';
import { DelegatingTrackingLog } from './delegating.tracking-log.js';
import { Permits } from './permits.js';
import { Spool, type SpoolOptions } from './spool.js';
import type { SpoolState } from './spool.telemetry.js';
import {
  type AppendOutcome,
  BATCH_BYTES_MAX,
  InvalidAppendError,
  type Partition,
  type TrackingLog,
  UNAVAILABLE,
} from './tracking-log.js';
import { within } from '../waiting/within.js';

/** How long a request waits for the log before the spool takes its events: a healthy one needs milliseconds. */
const PATIENCE_MS = 1_000;
/** So long after a failure nobody waits for the log: what would have gone to it goes to the spool. */
const AWAY_MS = 1_000;
/** Partitions drained at the same time: each holds one run of batches in memory. */
const DRAINERS = 4;
/** What closing spends on draining; the rest is there at the next start. */
const CLOSING_DRAIN_MS_MAX = 2_000;

const SPOOLED: AppendOutcome = { outcome: 'spooled' };

interface Lane {
  readonly partition: Partition;
  /** Batches in the spool, those on their way into it included. Above zero, a drainer runs. */
  waiting: number;
  draining: Promise<void> | undefined;
  /** While the log takes again what little still waits: new batches do not add to it. */
  emptying: Emptying | undefined;
  /** What the log was asked last on behalf of a request that then waited no longer. */
  abandoned: Promise<unknown>;
  /** Of `performance.now()`. */
  awayUntil: number;
}

interface Emptying {
  readonly over: Promise<true>;
  end(): void;
}

export interface SpoolingState extends SpoolState {
  /** Whether intake can go on without the log. */
  readonly hasRoom: boolean;
}

export class SpoolingTrackingLog extends DelegatingTrackingLog {
  readonly #lanes: readonly Lane[];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #permits = new Permits(DRAINERS);
  #stopped = false;

  private constructor(
    log: TrackingLog,
    private readonly spool: Spool,
    private readonly options: Pick<SpoolOptions, 'telemetry' | 'onDiskFailure'>,
  ) {
    super(log);
    this.#lanes = Array.from({ length: log.partitions }, (_, partition) => ({
      partition,
      waiting: 0,
      draining: undefined,
      emptying: undefined,
      abandoned: Promise.resolve(),
      awayUntil: 0,
    }));
  }

  /** Begins to drain what an earlier process left. @throws TrackingLogUnusableError */
  static async open(
    log: TrackingLog,
    options: Omit<SpoolOptions, 'partitions'>,
  ): Promise<SpoolingTrackingLog> {
    const spool = await Spool.open({ ...options, partitions: log.partitions });
    const spooling = new SpoolingTrackingLog(log, spool, options);
    for (const lane of spooling.#lanes) {
      lane.waiting = await spool.batchesOf(lane.partition);
      if (lane.waiting > 0) spooling.#startDraining(lane);
    }
    return spooling;
  }

  override appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    const lane = this.#lanes[partition];
    if (lane === undefined) return this.log.appendEncoded(partition, batch); // which says what is wrong
    if (this.#closing.signal.aborted) return Promise.resolve(UNAVAILABLE);
    const append = this.#append(lane, batch);
    this.#underWay.add(append);
    const settled = (): boolean => this.#underWay.delete(append);
    append.then(settled, settled);
    return append;
  }

  async state(): Promise<SpoolingState> {
    const { bytesLeft, ...state } = await this.spool.state();
    return { ...state, hasRoom: bytesLeft > BATCH_BYTES_MAX };
  }

  override async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.allSettled(this.#underWay);
    const drained = Promise.all(this.#lanes.flatMap(({ draining }) => draining ?? []));
    await within(CLOSING_DRAIN_MS_MAX, drained);
    this.#stopped = true;
    await this.log.close();
    await drained;
    await this.spool.close();
  }

  async #append(lane: Lane, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    await this.#emptied(lane);
    if (lane.waiting === 0 && performance.now() >= lane.awayUntil) {
      const append = this.#appendToLog(lane.partition, batch);
      const outcome = (await within(PATIENCE_MS, append)) ?? UNAVAILABLE;
      if (!isUnavailable(outcome)) return outcome;
      lane.abandoned = append;
      lane.awayUntil = performance.now() + AWAY_MS;
    }
    return this.#appendToSpool(lane, batch);
  }

  /** Where one batch comes right after the other, there would otherwise always be one in the spool. */
  async #emptied(lane: Lane): Promise<void> {
    if (lane.emptying === undefined) return;
    const isOver = await within(PATIENCE_MS, lane.emptying.over);
    if (!isOver) lane.emptying = undefined;
  }

  async #appendToSpool(lane: Lane, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    if (lane.waiting === 0) this.options.telemetry.spoolingBegan(lane.partition);
    lane.waiting++;
    this.#startDraining(lane);
    const outcome = await this.spool.append(lane.partition, batch).catch((error: unknown) => {
      lane.waiting--;
      throw error;
    });
    if (outcome.outcome === 'appended') return SPOOLED;
    lane.waiting--;
    // A full spool is the spool's affair: what the client must know is that the log is away.
    return outcome.reason === 'batch-too-large' ? outcome : UNAVAILABLE;
  }

  /** Whatever goes wrong with the log is one of its outcomes here: it must not stop the drainer. */
  async #appendToLog(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    try {
      return await this.log.appendEncoded(partition, batch);
    } catch (error) {
      if (error instanceof InvalidAppendError) throw error;
      this.options.telemetry.appendThrew(error, partition);
      return UNAVAILABLE;
    }
  }

  #startDraining(lane: Lane): void {
    if (lane.draining !== undefined || this.#stopped) return;
    lane.draining = this.#drain(lane).catch(this.options.onDiskFailure);
  }

  /** Until nothing of the partition waits; after closing began, until the log fails. */
  async #drain(lane: Lane): Promise<void> {
    // Later than its copy from the spool it would still be a repeat, but the log is not yet ready for one.
    await lane.abandoned;
    let failures = 0;
    while (lane.waiting > 0 && !this.#stopped) {
      if (await this.#permits.with(() => this.#drainRun(lane))) {
        failures = 0;
        continue;
      }
      endEmptying(lane);
      if (this.#closing.signal.aborted) break;
      await delay(backoffMs(failures++), undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
    if (lane.waiting === 0) this.options.telemetry.spoolingEnded(lane.partition);
    lane.awayUntil = 0;
    lane.draining = undefined;
    endEmptying(lane);
  }

  /** Whether it got on. */
  async #drainRun(lane: Lane): Promise<boolean> {
    const { telemetry } = this.options;
    const run = await this.spool.next(lane.partition);
    if (run === null) {
      await this.spool.idle(); // what waits is only being written
      await setImmediate();
      return true;
    }
    const outcome = await this.#appendToLog(lane.partition, run.events);
    if (outcome.outcome === 'refused') {
      telemetry.drainFailed(outcome.reason);
      return false;
    }
    await this.spool.discard(lane.partition, run);
    lane.waiting -= run.batches;
    if (lane.waiting <= 2 * run.batches) lane.emptying ??= beginEmptying();
    telemetry.drained({ batches: run.batches, events: run.events.length });
    return true;
  }
}

function beginEmptying(): Emptying {
  let end = (): void => undefined;
  const over = new Promise<true>((resolve) => (end = () => resolve(true)));
  return { over, end };
}

function endEmptying(lane: Lane): void {
  lane.emptying?.end();
  lane.emptying = undefined;
}

function isUnavailable(outcome: AppendOutcome): boolean {
  return outcome.outcome === 'refused' && outcome.reason === 'log-unavailable';
}
