// Nest's transport over the tracking log. What it delivers is partitions, not single events: a
// handler of 'partition' gets one with a signal and folds it until the signal, because positions
// live with the rows and batches must not pass one by one through a message pipeline.
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Partition } from '../../tracking-log/tracking-log.js';

export const PARTITION_PATTERN = 'partition';

export interface AssignedPartition {
  readonly partition: Partition;
  /** Aborted when the partition is taken away or the process stops. */
  readonly signal: AbortSignal;
}

export class TrackingLogStrategy extends Server implements CustomTransportStrategy {
  readonly #stopping = new AbortController();
  #handled: Promise<unknown>[] = [];

  constructor(private readonly partitions: number) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    const handler = this.messageHandlers.get(PARTITION_PATTERN);
    if (handler === undefined) return callback(new Error(`Nothing handles '${PARTITION_PATTERN}'`));
    for (let partition = 0; partition < this.partitions; partition++) {
      const assigned: AssignedPartition = { partition, signal: this.#stopping.signal };
      this.#handled.push(Promise.resolve(handler(assigned, undefined)));
    }
    callback();
  }

  /** Settles when every handler has committed what it was at. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#handled);
  }

  override on(): void {
    throw new Error('The tracking log emits no transport events');
  }

  override unwrap<T>(): T {
    throw new Error('The tracking log has no underlying server');
  }
}
