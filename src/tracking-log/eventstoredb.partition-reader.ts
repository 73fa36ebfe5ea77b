// Reads one partition of the tracking log out of its stream in EventStoreDB: gap-free, or an error
// that says why. When the connection breaks it reads on after the last batch it gave. What a reader
// does not take yet waits at the server, but for a few batches.
import { setTimeout as delay } from 'node:timers/promises';
import { BACKWARDS, END, START, StreamNotFoundError } from '@eventstore/db-client';
import { backoffMs } from '../waiting/backoff.js';
import { type EventStoreDbConnection, isOutage } from '../event-store/eventstoredb.connection.js';
import { received } from '../event-store/eventstoredb.received.js';
import { appendedAtOf } from './batch-codec.js';
import {
  type EncodedBatch,
  InvalidPositionError,
  type Partition,
  type ReadEncodedOptions,
  TruncatedLogError,
} from './tracking-log.js';
import type { EventStoreDbLogTelemetry } from './eventstoredb.telemetry.js';

/**
 * Intakes stamp batches by their own clocks, so that a stamp may be lower than the one before: by as
 * much as clocks are apart and an append is under way. What was stamped before this much is not
 * followed by a stamp that would belong before it.
 */
const STAMPS_APART_MS_MAX = 10_000;
/** Events that the client holds besides the sixteen of its own connection; one may have a megabyte. */
const HELD = { highWaterMark: 2 };

type Revision = number;

interface StoredBatch {
  readonly revision: Revision;
  readonly bytes: Buffer;
}

interface StoredBatchesOptions {
  readonly fromRevision: typeof START | typeof END | bigint;
  readonly direction?: typeof BACKWARDS;
  readonly maxCount?: number;
  readonly signal?: AbortSignal;
}

export interface Reading extends Pick<ReadEncodedOptions, 'follow'> {
  /** The last revision that need not be read; null: from the first there is. */
  readonly after: Revision | null;
  readonly signal: AbortSignal;
}

export interface PartitionReaderOptions {
  readonly connection: EventStoreDbConnection;
  readonly stream: string;
  readonly partition: Partition;
  readonly telemetry: EventStoreDbLogTelemetry;
}

export class PartitionReader {
  constructor(private readonly options: PartitionReaderOptions) {}

  async *read(reading: Reading): AsyncGenerator<EncodedBatch, void, undefined> {
    let last = reading.after;
    let appendedAt = 0;
    for await (const { revision, bytes } of this.#reconnecting(reading)) {
      if (last !== null && revision > last + 1) throw this.#truncated(last, revision);
      // Of the batch at `after` only the stamp is wanted: later ones never go below it.
      appendedAt = Math.max(appendedAt, appendedAtOf(bytes));
      if (last !== null && revision <= last) continue;
      last = revision;
      yield { position: String(revision), appendedAt, bytes };
    }
  }

  async end(): Promise<Revision | null> {
    const newest = { fromRevision: END, direction: BACKWARDS, maxCount: 1 } as const;
    for await (const { revision } of this.#stored(newest)) return revision;
    return null;
  }

  /** Of the newest batch before the first that is stamped `timeMs` or later; null when there is none. */
  async newestBefore(timeMs: number): Promise<Revision | null> {
    const first = await this.#firstFrom(0);
    const end = await this.end();
    if (first === null || end === null) return null;
    let older = first.revision - 1;
    for (let unknown = end + 1; unknown - older > 1;) {
      const middle = Math.floor((older + unknown) / 2);
      const batch = await this.#firstFrom(middle);
      if (batch && appendedAtOf(batch.bytes) < timeMs - STAMPS_APART_MS_MAX) older = middle;
      else unknown = middle;
    }
    for await (const { revision, bytes } of this.#stored({ fromRevision: BigInt(older + 1) })) {
      if (appendedAtOf(bytes) >= timeMs) break;
      older = revision;
    }
    return older < first.revision ? null : older;
  }

  /** From the batch at `after` on, that one included. A log out of reach is waited for. */
  async *#reconnecting({ after, follow, signal }: Reading): AsyncGenerator<StoredBatch, void, undefined> {
    const { telemetry } = this.options;
    let last = after;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        if (last !== null) await this.#mustReach(last);
        const from = last === null ? START : BigInt(last);
        for await (const batch of follow
          ? this.#live(last, signal)
          : this.#stored({ fromRevision: from, signal })) {
          telemetry.succeeded('read');
          failures = 0;
          last = batch.revision;
          yield batch;
        }
        if (!follow) return;
      } catch (error) {
        if (error instanceof InvalidPositionError || !isOutage(error)) throw error;
        telemetry.failed('read', error);
      }
      await delay(backoffMs(failures), undefined, { signal }).catch(() => undefined);
    }
  }

  async *#live(last: Revision | null, signal: AbortSignal): AsyncGenerator<StoredBatch, void, undefined> {
    const { connection, stream } = this.options;
    // A subscription begins after the revision it is given.
    const fromRevision = last === null || last === 0 ? START : BigInt(last - 1);
    const call = connection.client.subscribeToStream(stream, { fromRevision, requiresLeader: true }, HELD);
    for await (const { event } of received(call, { signal })) if (event) yield stored(event);
  }

  async *#stored({ signal, ...options }: StoredBatchesOptions): AsyncGenerator<StoredBatch, void, undefined> {
    const { connection, stream } = this.options;
    const call = connection.client.readStream(stream, { ...options, requiresLeader: true }, HELD);
    try {
      const limits = { silenceMsMax: connection.timeoutMs, ...(signal && { signal }) };
      for await (const { event } of received(call, limits)) if (event) yield stored(event);
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
  }

  async #firstFrom(revision: Revision): Promise<StoredBatch | null> {
    for await (const batch of this.#stored({ fromRevision: BigInt(revision), maxCount: 1 })) return batch;
    return null;
  }

  async #mustReach(last: Revision): Promise<void> {
    const end = await this.end();
    if (end !== null && end >= last) return;
    throw new InvalidPositionError(
      `Partition ${this.options.partition} ends at ${end ?? 'its beginning'} and cannot be read after ${last}: ` +
        'the log was replaced by an older one',
    );
  }

  #truncated(last: Revision, next: Revision): TruncatedLogError {
    return new TruncatedLogError(
      `Partition ${this.options.partition} goes on at ${next}: what came after ${last} was removed from the log`,
    );
  }
}

/** Without copying. */
function stored({ revision, data }: { readonly revision: bigint; readonly data: unknown }): StoredBatch {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return { revision: Number(revision), bytes: Buffer.from(buffer, byteOffset, byteLength) };
}
