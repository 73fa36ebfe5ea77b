// The LMDB file under the embedded tracking log: opens it safely, writes in durable transactions,
// copies out short runs. A commit is visible only once it is on disk, so that no reader can move
// past a batch which a power cut then takes away. Reading pins no snapshot and does not let the
// mapped file grow into the process's resident memory.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, statfsSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { dirname, join } from 'node:path';
import { type Key, open, type RootDatabase } from 'lmdb';
import { appendedAtOf, encodeBatch, type EncodedEvent } from './batch-codec.js';
import { KnownTails, type Tail } from './embedded.known-tails.js';
import { type EnvironmentStats, pagesFor, pagesInUse, statsOf } from './embedded.log-pages.js';
import { BATCH_BYTES_MAX, GapInLogError, type Partition, TrackingLogUnusableError } from './tracking-log.js';

/** What one read copies out before it lets others run. */
const RUN_BYTES_MAX = 262_144;
/** Pages that are read stay in the map and count as resident until the file is opened anew. */
const BYTES_BETWEEN_REOPENS = 8_388_608;
/** Of what is written only the tree's pages are read again, by the next commit, and what the kernel maps around them. */
const MAPPED_SHARE_OF_WRITTEN = 0.25;
const BYTES_MAPPED_BY_COMMIT = 8_192;
/** Tree pages that one transaction may copy besides the batches it adds. */
const RESERVED_PAGES = 64;
/** With less than this left on it, a disk that cuts writes short is full rather than broken. */
const DISK_FULL_BYTES = 33_554_432;
/** Where LMDB keeps its magic number, and what it is. */
const MAGIC_OFFSET = 24;
const MAGIC = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;
/** LMDB's own word for a map that has no page left. */
const MAP_FULL_CODE = -30_792;
const DISK_FULL_CODES = new Set<unknown>([osConstants.errno.ENOSPC, osConstants.errno.EDQUOT, MAP_FULL_CODE]);
/** Sorts after every [partition, sequence]. */
const DESCRIPTION_KEY = 'description';

export interface LogFileOptions {
  readonly directory: string;
  readonly partitions: number;
  readonly bytesMax: number;
}

export interface StoredBatch {
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** Inside one write transaction, alone among all processes. */
export interface LogTransaction {
  /** The partition's newest batch, those of this transaction included. */
  tail(partition: Partition): Tail | null;
  hasRoomFor(bytes: number): boolean;
  /** `tail` will be the partition's newest batch. */
  put(partition: Partition, tail: Tail, batch: readonly EncodedEvent[]): void;
  /** Forgets the partition's batches up to this one; later ones take their room. */
  discard(partition: Partition, throughSequence: number): void;
}

export interface LogUsage {
  readonly batches: number;
  readonly bytes: number;
  /** Until batches are refused, by the bound or by the disk. */
  readonly bytesLeft: number;
}

export class LogFile {
  #db: RootDatabase<Buffer>;
  #reopening: Promise<void> | undefined;
  #committing: Promise<unknown> = Promise.resolve();
  #bytesTouched = 0;
  /** By the latest transaction. */
  #bytesPut = 0;
  readonly #tails = new KnownTails();
  /** Where a batch takes its form before LMDB copies it: one buffer for all, never a new one. */
  readonly #encoding = Buffer.allocUnsafeSlow(BATCH_BYTES_MAX);

  private constructor(private readonly options: LogFileOptions) {
    this.#db = openEnvironment(options);
  }

  /** @throws TrackingLogUnusableError */
  static open(options: LogFileOptions): LogFile {
    const { directory } = options;
    let file: LogFile | undefined;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      refuseForeignFile(join(directory, 'data.mdb'));
      file = new LogFile(options);
      file.#describe();
      syncDirectory(directory);
      syncDirectory(dirname(directory));
      return file;
    } catch (error) {
      void file?.close();
      if (error instanceof TrackingLogUnusableError) throw error;
      throw new TrackingLogUnusableError(
        `The tracking log in ${directory} cannot be opened: ${(error as Error).message}. ` +
          'DATA_DIR must be a directory on a local disk that this process may write to.',
        { cause: error },
      );
    }
  }

  /**
   * Durable when it settles. Rejects with what went wrong, and then nothing of it is visible:
   * DiskFullError may be tried again; after any other error the disk cannot be trusted.
   */
  async commit<Result>(write: (transaction: LogTransaction) => Result): Promise<Result> {
    while (this.#reopening) await this.#reopening;
    const committing = this.#db.transaction(() => write(this.#transaction()));
    this.#committing = committing.catch(() => undefined);
    try {
      const result = await committing;
      this.#touched(BYTES_MAPPED_BY_COMMIT + this.#bytesPut * MAPPED_SHARE_OF_WRITTEN);
      return result;
    } catch (error) {
      this.#tails.forget();
      const cause = await causeOf(error);
      if (!this.#isDiskFull(cause)) throw cause;
      this.reopen(); // the old environment may refuse to work after a failed write
      throw new DiskFullError(cause);
    }
  }

  /** A short run of batches after `after`, as they are now. Empty at the end. */
  run(partition: Partition, after: number): Promise<StoredBatch[]> {
    return this.#look(() => {
      const batches: StoredBatch[] = [];
      let bytesInRun = 0;
      const range = { start: [partition, after + 1], end: [partition, LAST_SEQUENCE] };
      for (const { key, value } of this.#db.getRange(range)) {
        batches.push({ sequence: (key as [number, number])[1], bytes: value });
        bytesInRun += value.length;
        if (bytesInRun >= RUN_BYTES_MAX) break;
      }
      this.#touched(bytesInRun);
      return batches;
    });
  }

  tail(partition: Partition): Promise<Tail | null> {
    return this.#look(() => this.#edge(partition, 'newest'));
  }

  /** The partition's oldest batch; null when it has none. */
  oldest(partition: Partition): Promise<Tail | null> {
    return this.#look(() => this.#edge(partition, 'oldest'));
  }

  batchesOf(partition: Partition): Promise<number> {
    const range = { start: [partition, 0], end: [partition, LAST_SEQUENCE] };
    return this.#look(() => this.#db.getKeysCount(range));
  }

  usage(): Promise<LogUsage> {
    return this.#look(() => {
      const stats = statsOf(this.#db);
      const descriptions = 1;
      return {
        batches: stats.entryCount - descriptions,
        bytes: pagesInUse(stats) * stats.pageSize,
        bytesLeft: Math.max(0, this.#pagesLeft(stats) * stats.pageSize),
      };
    });
  }

  /** The newest batch appended before `time`; null if there is none. */
  newestBefore(partition: Partition, time: number): Promise<number | null> {
    return this.#look(() => {
      const first = this.#edge(partition, 'oldest');
      const last = this.#edge(partition, 'newest');
      if (!first || !last) return null;
      let before = first.sequence - 1;
      let notBefore = last.sequence + 1;
      while (notBefore - before > 1) {
        const middle = Math.floor((before + notBefore) / 2);
        if (this.#appendedAt(partition, middle) < time) before = middle;
        else notBefore = middle;
      }
      return before < first.sequence ? null : before;
    });
  }

  /** Changes with every commit of any process. Undefined while the file is being reopened. */
  lastCommit(): number | undefined {
    return this.#reopening ? undefined : statsOf(this.#db).lastTxnId;
  }

  /** Lets go of everything mapped. */
  reopen(): void {
    this.#reopening ??= this.#reopen();
    // Whoever needs the file next awaits this promise and meets the error.
    this.#reopening.catch(() => undefined);
  }

  async close(): Promise<void> {
    while (this.#reopening) await this.#reopening;
    await this.#committing;
    await this.#db.close();
  }

  /** At the file as it is now. In one turn of the event loop: in the next it may be reopening again. */
  async #look<Found>(find: () => Found): Promise<Found> {
    while (this.#reopening) await this.#reopening;
    this.#db.resetReadTxn();
    return find();
  }

  async #reopen(): Promise<void> {
    await this.#committing;
    await this.#db.close();
    this.#db = openEnvironment(this.options);
    this.#bytesTouched = 0;
    this.#reopening = undefined;
  }

  #touched(bytes: number): void {
    this.#bytesTouched += bytes;
    if (this.#bytesTouched >= BYTES_BETWEEN_REOPENS) this.reopen();
  }

  #transaction(): LogTransaction {
    const stats = statsOf(this.#db);
    const { pageSize } = stats;
    let pagesLeft = this.#pagesLeft(stats);
    const tails = this.#tails;
    tails.begin(this.#db.getWriteTxnId());
    this.#bytesPut = 0;
    return {
      tail: (partition) => tails.get(partition) ?? this.#edge(partition, 'newest'),
      hasRoomFor: (bytes) => pagesFor(bytes, pageSize) <= pagesLeft,
      put: (partition, tail, batch) => {
        const bytes = encodeBatch(batch, tail.appendedAt, this.#encoding);
        this.#db.putSync([partition, tail.sequence], bytes);
        pagesLeft -= pagesFor(bytes.length, pageSize);
        this.#bytesPut += bytes.length;
        tails.written(partition, tail);
      },
      discard: (partition, throughSequence) => {
        const range = { start: [partition, 0], end: [partition, throughSequence + 1] };
        for (const key of [...this.#db.getKeys(range)]) this.#db.removeSync(key);
        tails.written(partition, undefined);
      },
    };
  }

  /** Pages that what was discarded left behind are there to be written again, whatever the disk has left. */
  #pagesLeft(stats: EnvironmentStats): number {
    const { pageSize, lastPageNumber } = stats;
    const used = pagesInUse(stats);
    const byBound = this.options.bytesMax / pageSize - used;
    const byDisk = this.#diskBytesAvailable() / pageSize + (lastPageNumber + 1 - used);
    return Math.min(byBound, byDisk) - RESERVED_PAGES;
  }

  #diskBytesAvailable(): number {
    const { bavail, bsize } = statfsSync(this.options.directory);
    return bavail * bsize;
  }

  /** LMDB calls a write cut short by a full disk an I/O error: the file system tells them apart. */
  #isDiskFull(cause: unknown): boolean {
    const code = (cause as { code?: unknown }).code;
    if (DISK_FULL_CODES.has(code)) return true;
    return code === osConstants.errno.EIO && this.#diskBytesAvailable() < DISK_FULL_BYTES;
  }

  #edge(partition: Partition, which: 'oldest' | 'newest'): Tail | null {
    const lowest: Key = [partition, 0];
    const highest: Key = [partition, LAST_SEQUENCE];
    const range =
      which === 'newest'
        ? { start: highest, end: lowest, reverse: true, limit: 1 }
        : { start: lowest, end: highest, limit: 1 };
    for (const key of this.#db.getKeys(range)) {
      const sequence = (key as [number, number])[1];
      return { sequence, appendedAt: this.#appendedAt(partition, sequence) };
    }
    return null;
  }

  #appendedAt(partition: Partition, sequence: number): number {
    const bytes = this.#db.getBinaryFast([partition, sequence]);
    if (!bytes) throw new GapInLogError(partition, sequence);
    return appendedAtOf(bytes);
  }

  /** Writes down the number of partitions at first, and holds later processes to it. */
  #describe(): void {
    const { directory, partitions } = this.options;
    const found = this.#db.transactionSync(() => {
      const bytes = this.#db.get(DESCRIPTION_KEY);
      if (bytes) return JSON.parse(bytes.toString()) as { format: number; partitions: number };
      this.#db.putSync(DESCRIPTION_KEY, Buffer.from(JSON.stringify({ format: 1, partitions })));
      return { format: 1, partitions };
    });
    if (found.format === 1 && found.partitions === partitions) return;
    throw new TrackingLogUnusableError(
      found.format === 1
        ? `The tracking log in ${directory} has ${found.partitions} partitions and TRACKING_LOG_PARTITIONS is ${partitions}: ` +
            `the number is fixed once the log exists. Set it to ${found.partitions}.`
        : `The tracking log in ${directory} has format ${found.format}; this version reads format 1.`,
    );
  }
}

export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  constructor(cause: unknown) {
    super('The disk of the tracking log is full', { cause });
  }
}

function openEnvironment({ directory, bytesMax }: LogFileOptions): RootDatabase<Buffer> {
  return open<Buffer>({
    path: directory,
    encoding: 'binary',
    // With it a commit could be read, and projected, before it is durable.
    overlappingSync: false,
    // The whole map at once: growing it would have to be agreed upon among processes.
    mapSize: Math.max(bytesMax, 1_048_576) * 2,
  });
}

/** The library would crash on it, without a word. */
function refuseForeignFile(path: string): void {
  if (!existsSync(path)) return;
  const descriptor = openSync(path, 'r');
  try {
    const start = Buffer.alloc(MAGIC_OFFSET + MAGIC.length);
    const bytes = readSync(descriptor, start);
    if (bytes === 0 || start.subarray(MAGIC_OFFSET).equals(MAGIC)) return;
    throw new TrackingLogUnusableError(
      `${path} is not the file of a tracking log, or its beginning is damaged.`,
    );
  } finally {
    closeSync(descriptor);
  }
}

/** The library rejects with "Commit failed" and tells the reason in a second promise. */
async function causeOf(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: Promise<unknown> }).commitError;
  if (!reason) return error;
  return reason.then(
    () => error,
    (cause: unknown) => cause,
  );
}

/** Makes a file's name as durable as its content. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
