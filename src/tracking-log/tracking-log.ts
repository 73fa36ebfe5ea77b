// Where ingestion and projections meet: a partitioned, append-only log of batches of events.
//
// The laws, checked for every driver by test/contract/tracking-log.contract.ts:
// positions increase within a partition; reading from a position is repeatable and gap-free;
// a batch appends whole or not at all; what is acknowledged survives `kill -9`; a batch is
// visible only after every lower position of its partition; limits are refused, never
// truncated; closing loses nothing acknowledged.
import type { TrackedEvent } from '../events/tracked-event.js';
import { type EncodedEvent, encodeEvent } from './batch-codec.js';

/** 0 … partitions − 1. */
export type Partition = number;

/** Opaque text, ordered by `compare` within one partition. Safe to store. */
export type Position = string;

/** A batch holds events of one partition; it is the log's unit of storage. Never empty. */
export type Batch = readonly TrackedEvent[];

export interface RecordedBatch {
  readonly position: Position;
  /** Epoch ms; never decreases within a partition; not before any event's `receivedAt`. */
  readonly appendedAt: number;
  readonly events: Batch;
}

/** A larger batch is refused 'batch-too-large': an event may be 500 KB, a Kafka record 1 MB. */
export const BATCH_BYTES_MAX = 1_000_000;

export type RefusalReason = 'batch-too-large' | 'log-full' | 'log-unavailable';

export type AppendOutcome =
  | { readonly outcome: 'appended'; readonly position: Position }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason };

export interface ReadOptions {
  /** Wait at the end for more instead of finishing. */
  readonly follow: boolean;
  /** Ends the read early, without an error. */
  readonly signal?: AbortSignal;
}

/** A position that this log never gave, or that lies beyond its end. */
export class InvalidPositionError extends Error {
  override readonly name = 'InvalidPositionError';
}

/** An empty batch, or a partition that does not exist: a mistake in the caller. */
export class InvalidAppendError extends Error {
  override readonly name = 'InvalidAppendError';
}

export class TrackingLogClosedError extends Error {
  override readonly name = 'TrackingLogClosedError';
  constructor() {
    super('The tracking log is closed and cannot be read');
  }
}

/** Abstract class rather than interface, so that it is its own injection token. */
export abstract class TrackingLog {
  abstract readonly partitions: number;

  /**
   * Settles once durable. Whole or not at all. Concurrent appends share one durable write.
   * After 'log-unavailable' or a crash the batch may or may not be there: a retry may store it
   * twice, and readers drop repeats by event id.
   */
  append(partition: Partition, batch: Batch): Promise<AppendOutcome> {
    return this.appendEncoded(partition, batch.map(encodeEvent));
  }

  /** The same, for a caller that encoded each event already to know its size. */
  abstract appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome>;

  /**
   * Batches after `after` (null: from the first), ordered, gap-free, repeatable. A position beyond
   * the end is an error (the log was replaced by an older one), not something to wait for.
   */
  abstract read(
    partition: Partition,
    after: Position | null,
    options: ReadOptions,
  ): AsyncIterable<RecordedBatch>;

  /** Reading after this sees everything received at or after `time`. Null: read from the first. */
  abstract findByTime(partition: Partition, time: Date): Promise<Position | null>;

  /** Highest readable position; null when the partition is empty. */
  abstract end(partition: Partition): Promise<Position | null>;

  /** Two positions of one partition. Negative: `a` comes first. */
  abstract compare(a: Position, b: Position): number;

  /** Waits for appends under way; loses nothing acknowledged. Later appends are refused. */
  abstract close(): Promise<void>;
}
