// Where batches wait on this process's disk while the tracking log is away: a first-in, first-out queue
// per partition in an LMDB file. What it took is on disk; a batch leaves when it is discarded, not when
// it is read, so that a crash in between repeats it and never loses it.
import { mkdirSync } from 'node:fs';
import { decodeBatch, encodeEvent, type EncodedEvent } from './batch-codec.js';
import { whatFitsOneBatch } from './batch-size.js';
import { GroupCommit } from './embedded.group-commit.js';
import { DiskFullError, LogFile } from './embedded.log-file.js';
import { LogGate } from './log-gate.js';
import { SpoolLock } from './spool.lock.js';
import type { SpoolState, SpoolTelemetry } from './spool.telemetry.js';
import { type CommitOutcome, type Partition, TrackingLogUnusableError } from './tracking-log.js';

/** Of the file, for ever: the most a log may have, so that its number may change without the spool. */
const PARTITIONS = 1024;

export interface SpoolOptions {
  readonly directory: string;
  readonly bytesMax: number;
  /** Of the log. */
  readonly partitions: number;
  readonly telemetry: SpoolTelemetry;
  /** The disk failed under the spool, or a spooled batch is damaged. Must end the process. */
  readonly onDiskFailure: (error: unknown) => void;
}

/** The oldest batches of a partition, joined: the log takes them as one. */
export interface SpooledRun {
  readonly events: readonly EncodedEvent[];
  readonly batches: number;
  readonly throughSequence: number;
}

export class Spool {
  readonly #group: GroupCommit;
  readonly #gate: LogGate;
  /** What is drained but could not be discarded yet, for want of a free page. */
  readonly #drainedThrough = new Map<Partition, number>();

  private constructor(
    private readonly file: LogFile,
    private readonly lock: SpoolLock,
    private readonly options: SpoolOptions,
  ) {
    this.#group = new GroupCommit(file, options);
    this.#gate = new LogGate(PARTITIONS, options.telemetry);
    options.telemetry.sizeBytesMax.set(options.bytesMax);
    options.telemetry.watch(() => this.state());
  }

  /** @throws TrackingLogUnusableError */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, bytesMax } = options;
    makeDirectory(directory);
    const lock = await SpoolLock.take(directory);
    try {
      const file = LogFile.open({ directory, bytesMax, partitions: PARTITIONS });
      const spool = new Spool(file, lock, options);
      await spool.#refuseStrandedBatches();
      return spool;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Settles once durable. The position it gives is not one of the log. */
  append(partition: Partition, batch: readonly EncodedEvent[]): Promise<CommitOutcome> {
    return this.#gate.append(partition, batch, (sized) => this.#group.append(sized));
  }

  /** Settles when no append is under way. */
  idle(): Promise<void> {
    return this.#group.idle();
  }

  batchesOf(partition: Partition): Promise<number> {
    return this.file.batchesOf(partition);
  }

  /** The oldest batches of the partition; null when there are none. @throws DamagedBatchError */
  async next(partition: Partition): Promise<SpooledRun | null> {
    const stored = await this.file.run(partition, this.#drainedThrough.get(partition) ?? 0);
    const joined = whatFitsOneBatch(stored, ({ bytes }) => bytes.length);
    if (joined.length === 0) return null;
    return {
      events: joined.flatMap(({ bytes }) => decodeBatch(bytes).events.map(encodeEvent)),
      batches: joined.length,
      throughSequence: joined.at(-1)!.sequence,
    };
  }

  /** Durably; or from memory only, while the disk is so full that LMDB cannot even delete. */
  async discard(partition: Partition, { throughSequence }: SpooledRun): Promise<void> {
    try {
      await this.file.commit((transaction) => transaction.discard(partition, throughSequence));
      this.#drainedThrough.delete(partition);
    } catch (error) {
      if (!(error instanceof DiskFullError)) throw error;
      this.#drainedThrough.set(partition, throughSequence);
    }
  }

  async state(): Promise<SpoolState & { readonly bytesLeft: number }> {
    const { partitions } = this.options;
    const [usage, ...oldest] = await Promise.all([
      this.file.usage(),
      ...Array.from({ length: partitions }, (_, partition) => this.file.oldest(partition)),
    ]);
    const times = oldest.flatMap((tail) => (tail === null ? [] : [tail.appendedAt]));
    return { ...usage, oldestAt: times.length === 0 ? null : Math.min(...times) };
  }

  async close(): Promise<void> {
    this.#gate.close();
    await this.#group.idle();
    await this.file.close();
    await this.lock.release();
  }

  async #refuseStrandedBatches(): Promise<void> {
    const { directory, partitions } = this.options;
    for (let partition = partitions; partition < PARTITIONS; partition++) {
      if ((await this.file.oldest(partition)) === null) continue;
      throw new TrackingLogUnusableError(
        `The spool in ${directory} holds events of partition ${partition} and TRACKING_LOG_PARTITIONS is ${partitions}: ` +
          'let it drain under the number it was filled with.',
      );
    }
  }
}

/** Before the file, because the lock is there before the file. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new TrackingLogUnusableError(
      `The spool's directory ${directory} cannot be made: ${(error as Error).message}. ` +
        'DATA_DIR must be a directory on a local disk that this process may write to.',
      { cause: error },
    );
  }
}
