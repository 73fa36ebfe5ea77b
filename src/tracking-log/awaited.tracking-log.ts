// A log on other machines that does not answer when the process starts: it is opened once it does. Until
// then it takes nothing, as nothing may be appended to a log that nobody has looked at, and its readers
// wait. What is wrong with a log that answers ends the process, whenever that becomes known.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../telemetry/telemetry.js';
import {
  type AppendOutcome,
  type EncodedBatch,
  type Partition,
  type Position,
  type ReadEncodedOptions,
  TrackingLog,
  TrackingLogUnreachableError,
  UNAVAILABLE,
} from './tracking-log.js';
import { within } from '../waiting/within.js';

/** Of the boot, for a log that will answer; longer the process does not wait for it. */
const BOOT_PATIENCE_MS = 5_000;
const RETRY_PAUSE_MS = 1_000;

export interface AwaitedLogOptions {
  /** @throws TrackingLogUnreachableError when it is to be tried again, anything else when that is vain */
  readonly open: () => Promise<TrackingLog>;
  readonly partitions: number;
  readonly telemetry: Pick<Telemetry, 'log'>;
  /** The log answers and cannot be used. Must end the process. */
  readonly onUnusable: (error: unknown) => void;
}

export class AwaitedTrackingLog extends TrackingLog {
  readonly partitions: number;
  readonly #closing = new AbortController();
  readonly #opening: Promise<TrackingLog | undefined>;
  #log: TrackingLog | undefined;

  private constructor(private readonly options: AwaitedLogOptions) {
    super();
    this.partitions = options.partitions;
    this.#opening = this.#openOnceReachable();
  }

  /** The log itself where it answers in time. @throws what `open` throws, unless it may be tried again */
  static async open(options: AwaitedLogOptions): Promise<TrackingLog> {
    const awaited = new AwaitedTrackingLog(options);
    const log = await within(BOOT_PATIENCE_MS, awaited.#opening);
    if (log !== undefined) return log;
    options.telemetry.log.warn('The tracking log does not answer: the process starts without it');
    awaited.#opening.catch(options.onUnusable);
    return awaited;
  }

  override async appendEncoded(...batch: Parameters<TrackingLog['appendEncoded']>): Promise<AppendOutcome> {
    if (this.#log === undefined) return UNAVAILABLE;
    return this.#log.appendEncoded(...batch);
  }

  override async *readEncoded(
    partition: Partition,
    after: Position | null,
    options: ReadEncodedOptions,
  ): AsyncGenerator<EncodedBatch, void, undefined> {
    const stop = AbortSignal.any([this.#closing.signal, ...(options.signal ? [options.signal] : [])]);
    const stopped = new Promise<undefined>((resolve) => {
      stop.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const log = stop.aborted ? undefined : await Promise.race([this.#opening, stopped]);
    if (log !== undefined) yield* log.readEncoded(partition, after, options);
  }

  override async findByTime(partition: Partition, time: Date): Promise<Position | null> {
    return this.#opened().findByTime(partition, time);
  }

  override async end(partition: Partition): Promise<Position | null> {
    return this.#opened().end(partition);
  }

  override compare(a: Position, b: Position): number {
    return this.#opened().compare(a, b);
  }

  /** Does not wait for a log that is only being opened. */
  override async close(): Promise<void> {
    this.#closing.abort();
    await this.#log?.close();
  }

  #opened(): TrackingLog {
    if (this.#log === undefined)
      throw new TrackingLogUnreachableError('The tracking log has not answered yet');
    return this.#log;
  }

  /** Undefined when closed before. */
  async #openOnceReachable(): Promise<TrackingLog | undefined> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const log = await this.options.open();
        if (!signal.aborted) return (this.#log = log);
        await log.close();
      } catch (error) {
        if (!(error instanceof TrackingLogUnreachableError || signal.aborted)) throw error;
      }
      await sleep(RETRY_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }
}
