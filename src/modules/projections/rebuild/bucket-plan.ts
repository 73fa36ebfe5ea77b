// How a partition's events are sorted for a rebuild: into buckets so small that the events of one fit
// into memory together, and such that whatever belongs together is in one bucket. A site's events are,
// so that its counters are written once; a site too large for that is divided by visitor. Pure, and
// stored with the rebuild: whoever goes on with it divides in the same way.
import type { Position } from '../../../tracking-log/tracking-log.js';

export interface BucketPlan {
  /** The log is sorted up to here; what comes later is projected as ever. Null: it is empty. */
  readonly end: Position | null;
  readonly buckets: number;
  /** Sites divided by visitor. */
  readonly wideSites: readonly string[];
}

/** More would only make the pieces that are written and read at a time smaller. */
const BUCKETS_MAX = 4_096;

export interface PartitionSize {
  readonly events: number;
  /** Those with more than half a bucket's events. */
  readonly largeSites: readonly string[];
}

/** @param eventsMax events that one bucket should hold at most, about */
export function planBuckets(
  end: Position | null,
  { events, largeSites }: PartitionSize,
  eventsMax: number,
): BucketPlan {
  const buckets = Math.min(BUCKETS_MAX, Math.max(1, Math.ceil(events / eventsMax)));
  return { end, buckets, wideSites: buckets > 1 ? largeSites : [] };
}

interface Belonging {
  readonly site: string;
  readonly visitor: string;
}

export function bucketChooser({ buckets, wideSites }: BucketPlan): (event: Belonging) => number {
  const wide = new Set(wideSites);
  return ({ site, visitor }) => bucketOf(wide.has(site) ? site + visitor : site, buckets);
}

/** Not by the remainder: by that the sites of one partition were chosen. */
export function bucketOf(text: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * buckets);
}
