// One reading of one partition of the Kafka topic, over connections of its own: a leader answers the
// requests of a connection one after another, so a reading that waits at its end would hold up one
// that catches up. The next run of records is fetched while the last one is consumed, and no more:
// that bounds memory. No consumer group, no committed offsets. Gap-free, or an error that says why.
import { setImmediate } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import { appendedAtOf } from './batch-codec.js';
import type { Fetched } from './kafka.link.js';
import { isOutOfRange, type ReconnectingLink } from './kafka.reconnecting-link.js';
import {
  type EncodedBatch,
  GapInLogError,
  InvalidPositionError,
  type Partition,
  type ReadEncodedOptions,
  TruncatedLogError,
} from './tracking-log.js';

/** As stored, that is compressed; a run is inflated as a whole. */
const FETCH_BYTES_MAX = 1_048_576;
/** At the end of the log; what arrives meanwhile is sent at once. */
const FETCH_WAIT_MS = 1_000;

/** Not what we write: it will be called damaged. */
const NOTHING = Buffer.alloc(0);

export interface Reading extends Pick<ReadEncodedOptions, 'follow'> {
  /** The last offset that need not be read; null: from the first there is. */
  readonly after: number | null;
}

export class PartitionReader {
  #isStopped = false;
  #highestStamp: number | undefined;

  constructor(
    private readonly partition: Partition,
    private readonly link: ReconnectingLink,
  ) {}

  /** Ends the reading, without an error. */
  stop(): void {
    this.#isStopped = true;
    this.link.stop();
  }

  async *read({ after, follow }: Reading): AsyncGenerator<EncodedBatch, void, undefined> {
    try {
      let next = after === null ? await this.#first() : after + 1;
      let run = await this.#fetch(next, 0);
      const end = follow ? Number.POSITIVE_INFINITY : run.end;
      for (;;) {
        const { records } = run;
        const afterRun = next + records.length;
        const fetching = afterRun < end ? this.#fetch(afterRun, FETCH_WAIT_MS) : undefined;
        // Awaited below; until then, or if nobody reads on, its failure is nobody's unhandled rejection.
        fetching?.catch(() => undefined);
        for (const record of records) {
          if (this.#isStopped || Number(record.offset) >= end) return;
          yield await this.#batch(record, after);
        }
        if (!fetching) return;
        // Even a reader that never waits for anything lets the process breathe between runs.
        await setImmediate();
        next = afterRun;
        run = await fetching;
      }
    } catch (error) {
      if (!this.#isStopped) throw error;
    } finally {
      this.stop();
    }
  }

  async #first(): Promise<number> {
    return (await this.link.ask((link) => link.offset(this.partition, 'first'))) ?? 0;
  }

  async #fetch(offset: number, waitMs: number): Promise<Fetched> {
    const { partition } = this;
    try {
      const request = { partition, offset, waitMs, bytesMax: FETCH_BYTES_MAX };
      const fetched = await this.link.ask((link) => link.fetch(request));
      for (const [index, record] of fetched.records.entries()) {
        if (Number(record.offset) !== offset + index) throw new GapInLogError(partition, offset + index);
      }
      return fetched;
    } catch (error) {
      if (isOutOfRange(error)) throw await this.#whyOutOfRange(offset);
      throw error;
    }
  }

  async #whyOutOfRange(offset: number): Promise<Error> {
    const first = await this.#first();
    if (offset < first) {
      return new TruncatedLogError(
        `Partition ${this.partition} begins at ${first}: what came after ${offset - 1} was removed from the log`,
      );
    }
    return new InvalidPositionError(
      `Partition ${this.partition} cannot be read after ${offset - 1}, which lies beyond its end: ` +
        'the log was replaced by an older one',
    );
  }

  /**
   * Intakes stamp batches by their own clocks, so that a stamp may be lower than the one before; a
   * batch counts as appended at the highest stamp up to it, wherever the reading began.
   */
  async #batch(record: KafkaMessage, after: number | null): Promise<EncodedBatch> {
    const bytes = record.value ?? NOTHING;
    const stamp = appendedAtOf(bytes);
    this.#highestStamp ??= after === null ? stamp : await this.#highestUpTo(after, stamp);
    this.#highestStamp = Math.max(this.#highestStamp, stamp);
    return { position: record.offset, appendedAt: this.#highestStamp, bytes };
  }

  /** The highest stamp up to `offset`, or `atLeast`. Mostly one question; more if clocks differ. */
  async #highestUpTo(offset: number, atLeast: number): Promise<number> {
    const { partition } = this;
    const isExceeded = async (stamp: number): Promise<boolean> => {
      const timestampFrom = stamp + 1;
      const first = await this.link.ask((link) => link.offset(partition, { timestampFrom }));
      return first !== null && first <= offset;
    };
    if (!(await isExceeded(atLeast))) return atLeast;
    let exceeded = atLeast;
    let step = 1;
    for (; await isExceeded(exceeded + step); step *= 2) exceeded += step;
    let highest = exceeded + step;
    while (highest - exceeded > 1) {
      const middle = Math.floor((exceeded + highest) / 2);
      if (await isExceeded(middle)) exceeded = middle;
      else highest = middle;
    }
    return highest;
  }
}
