// Between appends and the LMDB file: appends wait together for one durable write; while it runs, the
// next group gathers. An append settles once its group is on disk. Sequences are allotted inside the
// write transaction, so processes never collide. A disk that fails is never asked again: the process
// must end, because what a failed sync left behind cannot be known.
import { stampOf } from './batch-codec.js';
import { DiskFullError, type LogFile, type LogTransaction } from './embedded.log-file.js';
import type { SizedBatch } from './log-gate.js';
import { type CommitOutcome, UNAVAILABLE } from './tracking-log.js';
import type { TrackingLogTelemetry } from './tracking-log.telemetry.js';

/** What one transaction carries; what is beyond waits for the next. */
const GROUP_BYTES_MAX = 16_777_216;

const FULL: CommitOutcome = { outcome: 'refused', reason: 'log-full' };

export interface GroupCommitOptions {
  readonly telemetry: TrackingLogTelemetry;
  /** The disk failed under a write. Must end the process. */
  readonly onDiskFailure: (error: unknown) => void;
}

interface WaitingAppend {
  readonly batch: SizedBatch;
  readonly settle: (outcome: CommitOutcome) => void;
}

export class GroupCommit {
  #waiting: WaitingAppend[] = [];
  #writing: Promise<void> | undefined;
  #isFailed = false;

  constructor(
    private readonly file: LogFile,
    private readonly options: GroupCommitOptions & { readonly onCommit?: () => void },
  ) {}

  append(batch: SizedBatch): Promise<CommitOutcome> {
    if (this.#isFailed) return Promise.resolve(UNAVAILABLE);
    return new Promise((settle) => {
      this.#waiting.push({ batch, settle });
      this.#writing ??= this.#writeGroups();
    });
  }

  /** Settles when no append is under way. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #writeGroups(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isFailed) await this.#writeGroup();
    this.#writing = undefined;
  }

  async #writeGroup(): Promise<void> {
    const { telemetry, onCommit } = this.options;
    const stopTimer = telemetry.commitSeconds.startTimer();
    let group: WaitingAppend[] = [];
    try {
      const outcomes = await this.file.commit((transaction) => {
        group = this.#takeGroup();
        return group.map(({ batch }) => put(transaction, batch));
      });
      stopTimer();
      for (const [index, append] of group.entries()) append.settle(outcomes[index]!);
      onCommit?.();
    } catch (error) {
      if (!(error instanceof DiskFullError)) return this.#fail(error, group);
      if (group.length === 0) group = this.#takeGroup();
      for (const append of group) append.settle(FULL);
    }
  }

  /** The whole queue, unless it is larger than one transaction should be. */
  #takeGroup(): WaitingAppend[] {
    let bytes = 0;
    let length = 0;
    while (length < this.#waiting.length && bytes < GROUP_BYTES_MAX) {
      bytes += this.#waiting[length++]!.batch.bytes;
    }
    return this.#waiting.splice(0, length);
  }

  #fail(error: unknown, group: readonly WaitingAppend[]): void {
    this.#isFailed = true;
    for (const append of [...group, ...this.#waiting]) append.settle(UNAVAILABLE);
    this.#waiting = [];
    this.options.onDiskFailure(error);
  }
}

function put(transaction: LogTransaction, { partition, events, bytes }: SizedBatch): CommitOutcome {
  if (!transaction.hasRoomFor(bytes)) return FULL;
  const tail = transaction.tail(partition);
  const sequence = (tail?.sequence ?? 0) + 1;
  transaction.put(partition, { sequence, appendedAt: stampOf(events, tail?.appendedAt) }, events);
  return { outcome: 'appended', position: String(sequence) };
}
