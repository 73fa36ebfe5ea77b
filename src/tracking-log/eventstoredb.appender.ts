// Appends to the stream of one partition: one call is under way, what arrives meanwhile waits and goes
// together, in order.
import { setImmediate } from 'node:timers/promises';
import { ANY, binaryEvent, MaxAppendSizeExceededError } from '@eventstore/db-client';
import type { EventStoreDbConnection } from '../event-store/eventstoredb.connection.js';
import { AppendQueue, type QueuedAppend } from './append-queue.js';
import type { EventStoreDbLogTelemetry } from './eventstoredb.telemetry.js';
import { type CommitOutcome, TOO_LARGE, UNAVAILABLE } from './tracking-log.js';
import type { TrackingLogTelemetry } from './tracking-log.telemetry.js';

const BATCH = 'batch';

export interface PartitionAppenderOptions {
  readonly connection: EventStoreDbConnection;
  readonly stream: string;
  readonly telemetry: TrackingLogTelemetry;
  readonly serverTelemetry: EventStoreDbLogTelemetry;
}

/** As it will be stored, not larger than a batch may be. */
interface StoredForm {
  readonly data: Uint8Array;
  readonly bytes: number;
}

export class PartitionAppender {
  readonly #queue: AppendQueue<StoredForm>;
  #sending: Promise<void> | undefined;

  constructor(private readonly options: PartitionAppenderOptions) {
    this.#queue = new AppendQueue(options.connection.timeoutMs);
  }

  append(batch: StoredForm): Promise<CommitOutcome> {
    const settled = this.#queue.add(batch);
    this.#sending ??= this.#send();
    return settled;
  }

  /** When every append is settled. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    // After the input that is already there: appends of one turn share the call.
    await setImmediate();
    for (let group = this.#queue.next(); group.length > 0; group = this.#queue.next())
      await this.#sendGroup(group);
    this.#sending = undefined;
  }

  /** Settles all of them. A server takes no more at once than one batch may hold. */
  async #sendGroup(group: readonly QueuedAppend<StoredForm>[]): Promise<void> {
    const { connection, stream, telemetry, serverTelemetry } = this.options;
    const stopTimer = telemetry.commitSeconds.startTimer();
    const events = group.map(({ data }) => binaryEvent({ type: BATCH, data }));
    const options = { ...connection.appendOptions, expectedRevision: ANY } as const;
    try {
      const result = await connection.inTime(connection.client.appendToStream(stream, events, options));
      stopTimer();
      serverTelemetry.succeeded('append');
      const first = Number(result.nextExpectedRevision) - group.length + 1;
      for (const [index, append] of group.entries()) {
        append.settle({ outcome: 'appended', position: String(first + index) });
      }
    } catch (error) {
      await this.#failed(group, error);
    }
  }

  async #failed(group: readonly QueuedAppend<StoredForm>[], error: unknown): Promise<void> {
    // A server may be set to take less than we do.
    const isTooLarge = error instanceof MaxAppendSizeExceededError;
    if (isTooLarge && group.length > 1) {
      for (const append of group) await this.#sendGroup([append]);
      return;
    }
    if (!isTooLarge) this.options.serverTelemetry.failed('append', error);
    for (const append of group) append.settle(isTooLarge ? TOO_LARGE : UNAVAILABLE);
  }
}
