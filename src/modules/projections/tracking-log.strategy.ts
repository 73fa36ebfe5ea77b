// Nest's transport over the tracking log. What it delivers is partitions, not single events: a
// handler of 'partition' gets one with a signal and folds it until the signal, because positions
// live with the rows and batches must not pass one by one through a message pipeline. Which
// partitions, and for how long, PartitionSharing decides.
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { Partition } from '../../tracking-log/tracking-log.js';
import { within } from '../../waiting/within.js';
import type { PartitionHolder, PartitionSharing } from './sharing/partition-sharing.js';

export const PARTITION_PATTERN = 'partition';
/** What a commit may take before the partition is let go of all the same: its checkpoint decides then. */
const REVOKE_TIMEOUT_MS = 5_000;

export interface AssignedPartition {
  readonly partition: Partition;
  /** Aborted when the partition is taken away or the process stops. */
  readonly signal: AbortSignal;
  /** Settles once it is known again whose the partition is; if another's, the signal is aborted then. */
  readonly recheck: () => Promise<void>;
}

interface Work {
  readonly revoked: AbortController;
  readonly ended: Promise<unknown>;
}

export class TrackingLogStrategy extends Server implements CustomTransportStrategy, PartitionHolder {
  readonly #work = new Map<Partition, Work>();
  #handler: MessageHandler | undefined;

  constructor(private readonly sharing: PartitionSharing) {
    super();
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    this.#handler = this.messageHandlers.get(PARTITION_PATTERN);
    if (this.#handler === undefined) return callback(new Error(`Nothing handles '${PARTITION_PATTERN}'`));
    await this.sharing.join(this);
    callback();
  }

  /** Settles when every handler has committed what it was at. */
  async close(): Promise<void> {
    await this.sharing.leave();
    await Promise.all([...this.#work.values()].map(({ ended }) => ended));
  }

  assign(partition: Partition): void {
    const before = this.#work.get(partition)?.ended;
    const revoked = new AbortController();
    const ended = this.#handle(partition, { signal: revoked.signal, before });
    this.#work.set(partition, { revoked, ended });
  }

  async revoke(partition: Partition): Promise<void> {
    const work = this.#work.get(partition);
    if (work === undefined) return;
    work.revoked.abort();
    await within(REVOKE_TIMEOUT_MS, work.ended);
  }

  /** After what this process itself may still be committing of it. */
  async #handle(
    partition: Partition,
    { signal, before }: { readonly signal: AbortSignal; readonly before: Promise<unknown> | undefined },
  ): Promise<void> {
    await before;
    const assigned: AssignedPartition = { partition, signal, recheck: () => this.sharing.recheck() };
    if (!signal.aborted) await this.#handler!(assigned, undefined);
  }

  override on(): void {
    throw new Error('The tracking log emits no transport events');
  }

  override unwrap<T>(): T {
    throw new Error('The tracking log has no underlying server');
  }
}
