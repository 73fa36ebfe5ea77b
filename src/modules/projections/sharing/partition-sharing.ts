// The port by which the projectors of an installation divide the log's partitions among each other.
// It is about efficiency only: for a moment nobody may work on a partition, or two may. That rows
// are written once is the checkpoint's compare-and-swap alone (see checkpoint.ts).
//
// What every driver keeps to: shares differ by one partition at most; a newcomer gets its share by
// the others letting go, between their commits; those of a process that died or hangs are taken over
// within 15 s, those of one that leaves at once; a process that hears nothing from whoever decides
// holds nothing once another may have been given its partitions.
import type { Partition } from '../../../tracking-log/tracking-log.js';

/** A membership that was not renewed for so long is over, for the others. */
export const MEMBERSHIP_MS = 10_000;
/** For the member itself it ends a little earlier. */
export const TENURE_MS = 8_000;

/** Who does the work. */
export interface PartitionHolder {
  assign(partition: Partition): void;
  /** Settles when the work on it has ended, or after a bounded wait. */
  revoke(partition: Partition): Promise<void>;
}

/** Abstract class rather than interface, so that it is its own injection token. */
export abstract class PartitionSharing {
  /** Takes part until `leave`. Settles after the first attempt, whatever its outcome; never throws. */
  abstract join(holder: PartitionHolder): Promise<void>;

  /** The checkpoint was moved by another: asks again whose partitions are whose. Never throws. */
  abstract recheck(): Promise<void>;

  /** Revokes everything and hands it over at once. */
  abstract leave(): Promise<void>;
}
