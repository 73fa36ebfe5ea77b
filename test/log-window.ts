// A tracking log of which a test shows a part only: without its beginning, as retention leaves it, or without
// its end, as it was some time ago.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Partition,
  type Position,
  type ReadOptions,
  type RecordedBatch,
  type TrackingLog,
  TruncatedLogError,
} from '../src/tracking-log/tracking-log.js';

const POLL_INTERVAL_MS = 2;

export class LogWindow implements Pick<TrackingLog, 'read' | 'compare'> {
  /** The last batch that is gone; null: none is. */
  goneThrough: Position | null = null;
  /** The last batch that is there; null: none is; undefined: all are. */
  end: Position | null | undefined = undefined;

  constructor(private readonly within: TrackingLog) {}

  compare(a: Position, b: Position): number {
    return this.within.compare(a, b);
  }

  async *read(
    partition: Partition,
    after: Position | null,
    { follow, signal }: ReadOptions,
  ): AsyncGenerator<RecordedBatch, void, undefined> {
    const gone = this.goneThrough;
    if (gone !== null && after !== null && this.compare(after, gone) < 0)
      throw new TruncatedLogError(`What follows ${after} in partition ${partition} was removed`);
    let position = after ?? gone;
    do {
      const options = { follow: false, ...(signal && { signal }) };
      for await (const batch of this.within.read(partition, position, options)) {
        if (this.#isBeyondEnd(batch.position)) break;
        position = batch.position;
        yield batch;
      }
      if (follow) await sleep(POLL_INTERVAL_MS);
    } while (follow && !signal?.aborted);
  }

  #isBeyondEnd(position: Position): boolean {
    return this.end !== undefined && (this.end === null || this.compare(position, this.end) > 0);
  }
}
