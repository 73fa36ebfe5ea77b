// Which partition an event goes to. By site, so that a visitor's session stays whole and one
// projector folds it; a hot site's visitors are spread over several, each visitor's events in one.
import type { TrackedEvent } from '../events/tracked-event.js';
import type { Partition } from './tracking-log.js';

export interface Spreading {
  readonly partitions: number;
  /** Of the site: over so many neighbouring partitions, as far as there are so many. */
  readonly spread: number;
}

export const partitionOf = (site: string, partitions: number): Partition => hashOf(site) % partitions;

/** The same where `spread` is 1. By the visitor's id alone: what retries an event keeps its partition. */
export function partitionOfVisitor(
  { site, visitor }: Pick<TrackedEvent, 'site' | 'visitor'>,
  { partitions, spread }: Spreading,
): Partition {
  return (hashOf(site) + (hashOf(visitor) % Math.min(spread, partitions))) % partitions;
}

/** FNV-1a, 32 bits: stable for ever, because positions and session rows depend on it. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
