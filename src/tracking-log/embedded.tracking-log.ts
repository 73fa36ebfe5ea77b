// The tracking log on one machine's disk, for one process or several. Appends wait together for
// one durable write: while it runs, the next group gathers. Sequences are allotted inside the
// write transaction, so processes never collide. A disk that fails is never asked again: the
// process must end, because what a failed sync left behind cannot be known.
import { setImmediate } from 'node:timers/promises';
import { decodeBatch, encodedBytes, type EncodedEvent } from './batch-codec.js';
import {
  DiskFullError,
  GapInLogError,
  LogFile,
  type LogFileOptions,
  type LogTransaction,
} from './embedded.log-file.js';
import {
  type AppendOutcome,
  BATCH_BYTES_MAX,
  InvalidAppendError,
  InvalidPositionError,
  type Partition,
  type Position,
  type ReadOptions,
  type RecordedBatch,
  type RefusalReason,
  TrackingLog,
  TrackingLogClosedError,
} from './tracking-log.js';
import type { TrackingLogTelemetry } from './tracking-log.telemetry.js';

/** What one transaction carries; what is beyond waits for the next. */
const GROUP_BYTES_MAX = 16_777_216;
/** How late a batch of another process may be seen. */
const POLL_INTERVAL_MS = 25;

export interface EmbeddedTrackingLogOptions extends LogFileOptions {
  readonly telemetry: TrackingLogTelemetry;
  /** The disk failed under a write. Must end the process. */
  readonly onDiskFailure: (error: unknown) => void;
}

interface WaitingAppend {
  readonly partition: Partition;
  readonly batch: readonly EncodedEvent[];
  readonly bytes: number;
  readonly settle: (outcome: AppendOutcome) => void;
}

export class EmbeddedTrackingLog extends TrackingLog {
  readonly partitions: number;
  readonly #file: LogFile;
  readonly #followers = new Set<() => void>();
  #waiting: WaitingAppend[] = [];
  #writing: Promise<void> | undefined;
  #state: 'open' | 'closing' | 'failed' = 'open';
  #commitSeen: number | undefined;
  #wakes = 0;
  #poll: NodeJS.Timeout | undefined;

  /** @throws TrackingLogUnusableError */
  constructor(private readonly options: EmbeddedTrackingLogOptions) {
    super();
    this.partitions = options.partitions;
    this.#file = LogFile.open(options);
    options.telemetry.sizeBytesMax.set(options.bytesMax);
  }

  override async appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    this.#mustHave(partition);
    if (batch.length === 0) throw new InvalidAppendError('A batch cannot be empty');
    if (this.#state !== 'open') return this.#refusal('log-unavailable');
    const bytes = encodedBytes(batch);
    if (bytes > BATCH_BYTES_MAX) return this.#refusal('batch-too-large');
    return new Promise((settle) => {
      this.#waiting.push({ partition, batch, bytes, settle });
      this.#writing ??= this.#writeGroups();
    });
  }

  override async *read(
    partition: Partition,
    after: Position | null,
    { follow, signal }: ReadOptions,
  ): AsyncGenerator<RecordedBatch, void, undefined> {
    this.#mustRead(partition);
    let sequence = await this.#startOf(partition, after);
    for (;;) {
      if (signal?.aborted) return;
      if (this.#state === 'closing' && follow) return;
      this.#mustRead(partition);
      const wakes = this.#wakes;
      const run = await this.#file.run(partition, sequence);
      for (const stored of run) {
        if (stored.sequence !== sequence + 1) throw new GapInLogError(partition, sequence + 1);
        if (signal?.aborted) return;
        sequence = stored.sequence;
        yield { position: String(sequence), ...decodeBatch(stored.bytes) };
      }
      // Even a reader that never waits for anything lets the process breathe between runs.
      if (run.length > 0) await setImmediate();
      else if (follow) await this.#nextCommit(wakes, signal);
      else return;
    }
  }

  override async findByTime(partition: Partition, time: Date): Promise<Position | null> {
    this.#mustRead(partition);
    const sequence = await this.#file.newestBefore(partition, time.getTime());
    return sequence === null ? null : String(sequence);
  }

  override async end(partition: Partition): Promise<Position | null> {
    this.#mustRead(partition);
    const tail = await this.#file.tail(partition);
    return tail && String(tail.sequence);
  }

  override compare(a: Position, b: Position): number {
    return sequenceOf(a) - sequenceOf(b);
  }

  override async close(): Promise<void> {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    await this.#writing;
    this.#wake();
    await this.#file.close();
  }

  async #writeGroups(): Promise<void> {
    while (this.#waiting.length > 0 && this.#state !== 'failed') await this.#writeGroup();
    this.#writing = undefined;
  }

  async #writeGroup(): Promise<void> {
    const { telemetry } = this.options;
    const stopTimer = telemetry.commitSeconds.startTimer();
    let group: WaitingAppend[] = [];
    try {
      const outcomes = await this.#file.commit((transaction) => {
        group = this.#takeGroup();
        return group.map((append) => put(transaction, append));
      });
      stopTimer();
      for (const [index, append] of group.entries()) this.#settle(append, outcomes[index]!);
      this.#wake();
    } catch (error) {
      if (!(error instanceof DiskFullError)) return this.#fail(error, group);
      if (group.length === 0) group = this.#takeGroup();
      for (const append of group) append.settle(this.#refusal('log-full'));
    }
  }

  /** The whole queue, unless it is larger than one transaction should be. */
  #takeGroup(): WaitingAppend[] {
    let bytes = 0;
    let length = 0;
    while (length < this.#waiting.length && bytes < GROUP_BYTES_MAX) bytes += this.#waiting[length++]!.bytes;
    return this.#waiting.splice(0, length);
  }

  #settle(append: WaitingAppend, outcome: AppendOutcome): void {
    const { telemetry } = this.options;
    if (outcome.outcome === 'appended') {
      telemetry.appendedBatches.inc();
      telemetry.appendedEvents.inc(append.batch.length);
      telemetry.appendedBytes.inc(append.bytes);
    } else {
      telemetry.refusedBatches.inc({ reason: outcome.reason });
    }
    append.settle(outcome);
  }

  #fail(error: unknown, group: readonly WaitingAppend[]): void {
    this.#state = 'failed';
    for (const append of [...group, ...this.#waiting]) append.settle(this.#refusal('log-unavailable'));
    this.#waiting = [];
    this.options.onDiskFailure(error);
  }

  #refusal(reason: RefusalReason): AppendOutcome {
    this.options.telemetry.refusedBatches.inc({ reason });
    return { outcome: 'refused', reason };
  }

  async #startOf(partition: Partition, after: Position | null): Promise<number> {
    if (after === null) return 0;
    const sequence = sequenceOf(after);
    const tail = await this.#file.tail(partition);
    if (sequence > (tail?.sequence ?? 0)) {
      throw new InvalidPositionError(
        `Partition ${partition} ends at ${tail?.sequence ?? 'its beginning'} and cannot be read after ${after}: ` +
          'the log was replaced by an older one',
      );
    }
    return sequence;
  }

  /** Settles at the first commit after `wakes`, by whichever process; when aborted; or at close. */
  async #nextCommit(wakes: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#wakes !== wakes || signal?.aborted) return;
    this.#poll ??= setInterval(() => this.#lookForOthers(), POLL_INTERVAL_MS);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.#followers.delete(wake);
        resolve();
      };
      this.#followers.add(wake);
      signal?.addEventListener('abort', wake);
    });
    if (this.#followers.size === 0) {
      clearInterval(this.#poll);
      this.#poll = undefined;
    }
  }

  #lookForOthers(): void {
    const commit = this.#file.lastCommit();
    if (commit === undefined || commit === this.#commitSeen) return;
    this.#commitSeen = commit;
    this.#wake();
  }

  #wake(): void {
    this.#wakes++;
    for (const wake of this.#followers) wake();
  }

  #mustRead(partition: Partition): void {
    this.#mustHave(partition);
    if (this.#state === 'closing') throw new TrackingLogClosedError();
  }

  #mustHave(partition: Partition): void {
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.partitions) {
      throw new InvalidAppendError(`There is no partition ${partition}: the log has ${this.partitions}`);
    }
  }
}

function put(transaction: LogTransaction, append: WaitingAppend): AppendOutcome {
  if (!transaction.hasRoomFor(append.bytes)) return { outcome: 'refused', reason: 'log-full' };
  const tail = transaction.tail(append.partition);
  const sequence = (tail?.sequence ?? 0) + 1;
  let appendedAt = Math.max(Date.now(), tail?.appendedAt ?? 0);
  for (const { receivedAt } of append.batch) appendedAt = Math.max(appendedAt, receivedAt);
  transaction.put(append.partition, { sequence, appendedAt }, append.batch);
  return { outcome: 'appended', position: String(sequence) };
}

function sequenceOf(position: Position): number {
  if (!/^[1-9]\d{0,15}$/.test(position)) {
    throw new InvalidPositionError(`"${position}" is not a position of this log`);
  }
  return Number(position);
}
