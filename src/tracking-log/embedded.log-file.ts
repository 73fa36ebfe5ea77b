// The LMDB file under the embedded tracking log: opens it safely, writes in durable transactions,
// copies out short runs. A commit is visible only once it is on disk, so that no reader can move
// past a batch which a power cut then takes away. Reading pins no snapshot and does not let the
// mapped file grow into the process's resident memory.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, statfsSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { dirname, join } from 'node:path';
import { type Key, open, type RootDatabase } from 'lmdb';
import { appendedAtOf, encodeBatch, type EncodedEvent } from './batch-codec.js';
import { BATCH_BYTES_MAX, type Partition } from './tracking-log.js';

/** What one read copies out before it lets others run. */
const RUN_BYTES_MAX = 262_144;
/** Pages read, and in time pages written, stay in the map and count as resident until the file is opened anew. */
const BYTES_BETWEEN_REOPENS = 16_777_216;
/** Tree pages that one transaction may copy besides the batches it adds. */
const RESERVED_PAGES = 64;
/** With less than this left on it, a disk that cuts writes short is full rather than broken. */
const DISK_FULL_BYTES = 33_554_432;
/** Where LMDB keeps its magic number, and what it is. */
const MAGIC_OFFSET = 24;
const MAGIC = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;
const DISK_FULL_CODES = new Set<unknown>([osConstants.errno.ENOSPC, osConstants.errno.EDQUOT]);
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

export interface Tail {
  readonly sequence: number;
  readonly appendedAt: number;
}

/** Inside one write transaction, alone among all processes. */
export interface LogTransaction {
  /** The partition's newest batch, those of this transaction included. */
  tail(partition: Partition): Tail | null;
  hasRoomFor(bytes: number): boolean;
  /** `tail` will be the partition's newest batch. */
  put(partition: Partition, tail: Tail, batch: readonly EncodedEvent[]): void;
}

/** The log cannot be opened as asked; the message is for the operator. */
export class TrackingLogUnusableError extends Error {
  override readonly name = 'TrackingLogUnusableError';
}

export class LogFile {
  #db: RootDatabase<Buffer>;
  #reopening: Promise<void> | undefined;
  #committing: Promise<unknown> = Promise.resolve();
  #bytesTouched = 0;
  /** By the latest transaction. */
  #bytesPut = 0;
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
      this.#touched(this.#bytesPut);
      return result;
    } catch (error) {
      const cause = await causeOf(error);
      if (!this.#isDiskFull(cause)) throw cause;
      this.reopen(); // the old environment may refuse to work after a failed write
      throw new DiskFullError(cause);
    }
  }

  /** A short run of batches after `after`, as they are now. Empty at the end. */
  async run(partition: Partition, after: number): Promise<StoredBatch[]> {
    while (this.#reopening) await this.#reopening;
    this.#db.resetReadTxn();
    const batches: StoredBatch[] = [];
    let bytesInRun = 0;
    for (const { key, value } of this.#db.getRange({
      start: [partition, after + 1],
      end: [partition, LAST_SEQUENCE],
    })) {
      batches.push({ sequence: (key as [number, number])[1], bytes: value });
      bytesInRun += value.length;
      if (bytesInRun >= RUN_BYTES_MAX) break;
    }
    this.#touched(bytesInRun);
    return batches;
  }

  async tail(partition: Partition): Promise<Tail | null> {
    while (this.#reopening) await this.#reopening;
    this.#db.resetReadTxn();
    return this.#edge(partition, 'newest');
  }

  /** The newest batch appended before `time`; null if there is none. */
  async newestBefore(partition: Partition, time: number): Promise<number | null> {
    while (this.#reopening) await this.#reopening;
    this.#db.resetReadTxn();
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
    const { pageSize, lastPageNumber } = statsOf(this.#db);
    const bytesLeft = Math.min(
      this.options.bytesMax - (lastPageNumber + 1) * pageSize,
      this.#diskBytesAvailable(),
    );
    let pagesLeft = bytesLeft / pageSize - RESERVED_PAGES;
    const tails = new Map<Partition, Tail | null>();
    this.#bytesPut = 0;
    return {
      tail: (partition) => {
        if (!tails.has(partition)) tails.set(partition, this.#edge(partition, 'newest'));
        return tails.get(partition)!;
      },
      hasRoomFor: (bytes) => pagesFor(bytes, pageSize) <= pagesLeft,
      put: (partition, tail, batch) => {
        const bytes = encodeBatch(batch, tail.appendedAt, this.#encoding);
        this.#db.putSync([partition, tail.sequence], bytes);
        pagesLeft -= pagesFor(bytes.length, pageSize);
        this.#bytesPut += bytes.length;
        tails.set(partition, tail);
      },
    };
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

/** A batch that must be there is not: the file is damaged. */
export class GapInLogError extends Error {
  override readonly name = 'GapInLogError';
  constructor(partition: Partition, sequence: number) {
    super(`The tracking log has no batch ${sequence} in partition ${partition}, though it has later ones`);
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

interface EnvironmentStats {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  readonly lastTxnId: number;
}

function statsOf(db: RootDatabase<Buffer>): EnvironmentStats {
  return db.getStats() as EnvironmentStats;
}

/** A value of more than about half a page takes pages of its own, each run with a short header. */
function pagesFor(bytes: number, pageSize: number): number {
  return Math.ceil((bytes + 16) / pageSize) + 1;
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
