// Where ingestion and projections meet: a partitioned, append-only log of batches of events.
//
// The laws, checked for every driver by test/contract/tracking-log.contract.ts:
// positions increase within a partition; reading from a position is repeatable and gap-free;
// a batch appends whole or not at all; what is acknowledged survives `kill -9`; a batch is
// visible only after every lower position of its partition; limits are refused, never
// truncated; closing loses nothing acknowledged.
import type { TrackedEvent } from '../events/tracked-event.js';
import { UnknownEventSchemaError } from '../events/upcasters.js';
import { decodeBatch, type EncodedEvent, encodeEvent, eventCountOf } from './batch-codec.js';
import { type EventSlice, sliceBatch } from './batch-slices.js';

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
  /** None of a batch that is `unknown`. */
  readonly events: Batch;
  /** Only where the reader asked to pass such batches over. */
  readonly unknown?: UnknownBatch;
}

/** A batch as it is stored: nobody has looked at more than its header. */
export interface EncodedBatch {
  readonly position: Position;
  /** As in RecordedBatch. */
  readonly appendedAt: number;
  /** May be a piece of a much larger buffer. */
  readonly bytes: Buffer;
}

export interface RecordedSlices {
  readonly position: Position;
  readonly events: readonly EventSlice[];
}

/** What this version knows of a batch whose events a newer one wrote in a shape of its own. */
export interface UnknownBatch {
  /** Number of that shape. */
  readonly schema: number;
  /** How many there are. */
  readonly events: number;
  /** The batch as stored, for a version that can read it. */
  readonly bytes: Buffer;
}

/** A larger batch is refused 'batch-too-large': an event may be 500 KB, a Kafka record 1 MB. */
export const BATCH_BYTES_MAX = 1_000_000;

export type RefusalReason = 'batch-too-large' | 'log-full' | 'log-unavailable';

export type CommitOutcome =
  | { readonly outcome: 'appended'; readonly position: Position }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason };

export type AppendOutcome =
  | CommitOutcome
  /** Durable, but beside the log, where nobody reads it yet: it has no position before it is drained. */
  | { readonly outcome: 'spooled' };

export const UNAVAILABLE: CommitOutcome = { outcome: 'refused', reason: 'log-unavailable' };
export const TOO_LARGE: CommitOutcome = { outcome: 'refused', reason: 'batch-too-large' };

export interface ReadEncodedOptions {
  /** Wait at the end for more instead of finishing. */
  readonly follow: boolean;
  /** Ends the read early, without an error. */
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends ReadEncodedOptions {
  /** At a batch that a newer version wrote: UnknownBatchError, or the batch as far as it is known. Default: stop. */
  readonly unknownBatches?: UnknownBatches;
}

export type UnknownBatches = 'stop' | 'pass-over';

/** A position that this log never gave, or that lies beyond its end. */
export class InvalidPositionError extends Error {
  override readonly name = 'InvalidPositionError';
}

/** A newer version wrote the batch, and the reader would rather stop than pass it over. */
export class UnknownBatchError extends Error {
  override readonly name = 'UnknownBatchError';
  constructor(
    readonly partition: Partition,
    readonly position: Position,
    readonly unknown: Pick<UnknownBatch, 'schema' | 'events'>,
  ) {
    super(
      `Partition ${partition} holds at position ${position} a batch of ${unknown.events} events of schema ` +
        `${unknown.schema}, which this version cannot read: a newer one wrote it. Read on with that version; nothing was skipped.`,
    );
  }
}

/** An empty batch, or a partition that does not exist: a mistake in the caller. */
export class InvalidAppendError extends Error {
  override readonly name = 'InvalidAppendError';
}

/** The log cannot be opened as asked; the message is for the operator. */
export class TrackingLogUnusableError extends Error {
  override readonly name: string = 'TrackingLogUnusableError';
}

/** It does not answer, or not yet: the same settings may open it another time. */
export class TrackingLogUnreachableError extends TrackingLogUnusableError {
  override readonly name = 'TrackingLogUnreachableError';
}

/** What comes next was removed, by retention or by hand: a reader that went on would skip events. */
export class TruncatedLogError extends Error {
  override readonly name = 'TruncatedLogError';
}

/** A batch that must be there is not: the log is damaged. */
export class GapInLogError extends Error {
  override readonly name = 'GapInLogError';
  constructor(partition: Partition, sequence: number) {
    super(`The tracking log has no batch ${sequence} in partition ${partition}, though it has later ones`);
  }
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
   * Batches after `after` (null: from the first there is), ordered, gap-free, repeatable. A position
   * beyond the end is an error (the log was replaced by an older one), not something to wait for; so
   * is one whose next batch was removed. A log out of reach is waited for.
   */
  abstract readEncoded(
    partition: Partition,
    after: Position | null,
    options: ReadEncodedOptions,
  ): AsyncIterable<EncodedBatch>;

  /** The same, decoded. @throws DamagedBatchError, UnknownBatchError */
  async *read(
    partition: Partition,
    after: Position | null,
    options: ReadOptions,
  ): AsyncGenerator<RecordedBatch, void, undefined> {
    for await (const batch of this.readEncoded(partition, after, options)) {
      yield recordedBatch(batch, partition, options.unknownBatches);
    }
  }

  /** The same, cut into its events without decoding them. @throws DamagedBatchError, UnknownBatchError */
  async *readSlices(
    partition: Partition,
    after: Position | null,
    options: ReadEncodedOptions,
  ): AsyncGenerator<RecordedSlices, void, undefined> {
    for await (const batch of this.readEncoded(partition, after, options)) {
      yield recordedSlices(batch, partition);
    }
  }

  /** Reading after this sees everything received at or after `time`. Null: read from the first. */
  abstract findByTime(partition: Partition, time: Date): Promise<Position | null>;

  /** Highest readable position; null when the partition is empty. */
  abstract end(partition: Partition): Promise<Position | null>;

  /** Two positions of one partition. Negative: `a` comes first. */
  abstract compare(a: Position, b: Position): number;

  /** Waits for appends under way; loses nothing acknowledged. Later appends are refused. */
  abstract close(): Promise<void>;
}

/** @throws DamagedBatchError, UnknownBatchError */
export function recordedBatch(
  { position, appendedAt, bytes }: EncodedBatch,
  partition: Partition,
  unknownBatches: UnknownBatches = 'stop',
): RecordedBatch {
  try {
    return { position, appendedAt, events: decodeBatch(bytes).events };
  } catch (error) {
    const about = unknownIn(bytes, error);
    if (unknownBatches === 'stop') throw new UnknownBatchError(partition, position, about);
    const unknown = { ...about, bytes: Buffer.from(bytes) };
    return { position, appendedAt, events: [], unknown };
  }
}

function recordedSlices({ position, bytes }: EncodedBatch, partition: Partition): RecordedSlices {
  try {
    return { position, events: sliceBatch(bytes) };
  } catch (error) {
    throw new UnknownBatchError(partition, position, unknownIn(bytes, error));
  }
}

/** @throws the error itself where it is another one */
function unknownIn(bytes: Buffer, error: unknown): Pick<UnknownBatch, 'schema' | 'events'> {
  if (!(error instanceof UnknownEventSchemaError)) throw error;
  return { schema: error.schema, events: eventCountOf(bytes) };
}
