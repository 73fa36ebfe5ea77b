// The tracking log on one machine's disk, for one process or several: appends go through a group
// commit, readers copy short runs out of the file and follow what any process commits.
import { setImmediate } from 'node:timers/promises';
import { appendedAtOf, type EncodedEvent } from './batch-codec.js';
import { GroupCommit, type GroupCommitOptions } from './embedded.group-commit.js';
import { LogFile, type LogFileOptions } from './embedded.log-file.js';
import { LogGate } from './log-gate.js';
import { numberOf } from './position-number.js';
import {
  type AppendOutcome,
  type EncodedBatch,
  GapInLogError,
  InvalidPositionError,
  type Partition,
  type Position,
  type ReadEncodedOptions,
  TrackingLog,
} from './tracking-log.js';

/** How late a batch of another process may be seen. */
const POLL_INTERVAL_MS = 25;
/** Another process's commit shows before it can be read, by as long as its last page takes to the disk. */
const LOOK_AGAIN_MS = 500;
const FIRST_SEQUENCE = 1;

export interface EmbeddedTrackingLogOptions extends LogFileOptions, GroupCommitOptions {}

export class EmbeddedTrackingLog extends TrackingLog {
  readonly partitions: number;
  readonly #file: LogFile;
  readonly #group: GroupCommit;
  readonly #gate: LogGate;
  readonly #followers = new Set<() => void>();
  #wokenAt = 0;
  #commitSeen: number | undefined;
  #wakes = 0;
  #poll: NodeJS.Timeout | undefined;

  /** @throws TrackingLogUnusableError */
  constructor(options: EmbeddedTrackingLogOptions) {
    super();
    this.partitions = options.partitions;
    this.#gate = new LogGate(options.partitions, options.telemetry);
    this.#file = LogFile.open(options);
    this.#group = new GroupCommit(this.#file, { ...options, onCommit: () => this.#wake() });
    options.telemetry.sizeBytesMax.set(options.bytesMax);
  }

  override appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    return this.#gate.append(partition, batch, (sized) => this.#group.append(sized));
  }

  override async *readEncoded(
    partition: Partition,
    after: Position | null,
    { follow, signal }: ReadEncodedOptions,
  ): AsyncGenerator<EncodedBatch, void, undefined> {
    this.#gate.mustRead(partition);
    let sequence = await this.#startOf(partition, after);
    for (;;) {
      if (signal?.aborted) return;
      if (this.#gate.closing.aborted && follow) return;
      this.#gate.mustRead(partition);
      const wakes = this.#wakes;
      const run = await this.#file.run(partition, sequence);
      for (const { sequence: next, bytes } of run) {
        if (next !== sequence + 1) throw new GapInLogError(partition, sequence + 1);
        if (signal?.aborted) return;
        sequence = next;
        yield { position: String(sequence), appendedAt: appendedAtOf(bytes), bytes };
      }
      // Even a reader that never waits for anything lets the process breathe between runs.
      if (run.length > 0) await setImmediate();
      else if (follow) await this.#nextCommit(wakes, signal);
      else return;
    }
  }

  override async findByTime(partition: Partition, time: Date): Promise<Position | null> {
    this.#gate.mustRead(partition);
    const sequence = await this.#file.newestBefore(partition, time.getTime());
    return sequence === null ? null : String(sequence);
  }

  override async end(partition: Partition): Promise<Position | null> {
    this.#gate.mustRead(partition);
    const tail = await this.#file.tail(partition);
    return tail && String(tail.sequence);
  }

  override compare(a: Position, b: Position): number {
    return sequenceOf(a) - sequenceOf(b);
  }

  override async close(): Promise<void> {
    if (this.#gate.closing.aborted) return;
    this.#gate.close();
    await this.#group.idle();
    this.#wake();
    await this.#file.close();
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
    if (commit === undefined) return;
    if (commit === this.#commitSeen && performance.now() - this.#wokenAt < LOOK_AGAIN_MS) return;
    this.#commitSeen = commit;
    this.#wake();
  }

  #wake(): void {
    this.#wakes++;
    this.#wokenAt = performance.now();
    for (const wake of this.#followers) wake();
  }
}

const sequenceOf = (position: Position): number => numberOf(position, FIRST_SEQUENCE);
