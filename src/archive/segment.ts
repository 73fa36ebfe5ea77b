// A segment is one object of the archive: a run of consecutive batches of one partition, which the manifest
// describes. Its name is its own for ever: the revision of the manifest that it was made on, its positions
// and its content are all part of it, so that nothing else is ever written in its place.
import type { Partition, Position } from '../tracking-log/tracking-log.js';

export interface Segment {
  readonly object: string;
  readonly partition: Partition;
  /** Position of the batch before the first one; null: the segment begins where the log did. */
  readonly after: Position | null;
  readonly first: Position;
  readonly last: Position;
  readonly events: number;
  readonly bytes: number;
  /** Of the whole object, in hexadecimal. */
  readonly sha256: string;
  /** Epoch ms. */
  readonly firstAppendedAt: number;
  readonly lastAppendedAt: number;
  /** Schema of its events. */
  readonly schema: number;
}

/** What every object of the partition begins with. */
export function prefixOf(partition: Partition): string {
  return `partition-${String(partition).padStart(4, '0')}/`;
}

export function objectNameOf(segment: Omit<Segment, 'object'>, revision: number): string {
  const { partition, first, last, sha256 } = segment;
  const range = [first, last].map((position) => position.replaceAll(/[^a-zA-Z0-9]/g, '-')).join('_');
  return `${prefixOf(partition)}r${String(revision).padStart(8, '0')}_${range}_${sha256.slice(0, 16)}.parquet`;
}
