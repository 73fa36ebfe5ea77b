// Which slots have a text as their id, domain, digest …: by its hash alone, twelve to twenty-four bytes each, since the
// text itself is in the record, with which whoever asks compares. Open addressing with linear probing; several
// slots may have the same hash.
import { randomInt } from 'node:crypto';

const ENTRIES_AT_FIRST = 1_024;
const FULLEST = 0.7;
const SEED = randomInt(0x1_00_00_00_00);

/** Seeded anew in each process: people choose domains, and should not be able to choose where they collide. */
export function hashOf(text: string): number {
  let hash = SEED ^ text.length;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x5b_d1_e9_95);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export class SlotIndex {
  #hashes = new Uint32Array(ENTRIES_AT_FIRST);
  /** One more than the slot; 0: no entry. */
  #entries = new Uint32Array(ENTRIES_AT_FIRST);
  #taken = 0;

  add(hash: number, slot: number): void {
    if (this.#taken + 1 > this.#entries.length * FULLEST) this.#grow();
    this.#taken++;
    let at = hash & this.#mask;
    while (this.#entries[at] !== 0) at = (at + 1) & this.#mask;
    this.#hashes[at] = hash;
    this.#entries[at] = slot + 1;
  }

  remove(hash: number, slot: number): void {
    let at = hash & this.#mask;
    while (this.#entries[at] !== slot + 1 || this.#hashes[at] !== hash) {
      if (this.#entries[at] === 0) return;
      at = (at + 1) & this.#mask;
    }
    this.#taken--;
    this.#close(at);
  }

  /** The first slot of that hash that `isIt`; undefined: none. */
  find(hash: number, isIt: (slot: number) => boolean): number | undefined {
    for (let at = hash & this.#mask; this.#entries[at] !== 0; at = (at + 1) & this.#mask) {
      const slot = this.#entries[at]! - 1;
      if (this.#hashes[at] === hash && isIt(slot)) return slot;
    }
    return undefined;
  }

  get #mask(): number {
    return this.#entries.length - 1;
  }

  /** Moves up what lies behind a gap and would no longer be found across it. */
  #close(opened: number): void {
    let gap = opened;
    for (let at = (opened + 1) & this.#mask; this.#entries[at] !== 0; at = (at + 1) & this.#mask) {
      const wanted = this.#hashes[at]! & this.#mask;
      const fromWanted = (at - wanted) & this.#mask;
      const fromGap = (at - gap) & this.#mask;
      if (fromWanted < fromGap) continue;
      this.#hashes[gap] = this.#hashes[at]!;
      this.#entries[gap] = this.#entries[at]!;
      gap = at;
    }
    this.#entries[gap] = 0;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const entries = this.#entries;
    this.#hashes = new Uint32Array(hashes.length * 2);
    this.#entries = new Uint32Array(entries.length * 2);
    this.#taken = 0;
    for (let at = 0; at < entries.length; at++) {
      if (entries[at] !== 0) this.add(hashes[at]!, entries[at]! - 1);
    }
  }
}
