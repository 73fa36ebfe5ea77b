// Which partition an event goes to. By site, so that a visitor's session stays whole and one
// projector folds it. (The seam for spreading a hot site over several partitions by visitor.)
import type { Partition } from './tracking-log.js';

/** FNV-1a, 32 bits: stable for ever, because positions and session rows depend on it. */
export function partitionOf(site: string, partitions: number): Partition {
  let hash = 0x811c9dc5;
  for (let index = 0; index < site.length; index++) {
    hash = Math.imul(hash ^ site.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % partitions;
}
