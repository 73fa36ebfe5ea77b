// What belongs to whom: for each owner a chain of slots, by the hash of the owner's id, eight bytes a slot and the
// entry of the chain. Owners whose hashes are the same share a chain: whoever reads one compares.
import { SlotIndex, hashOf } from './slot-index.js';

const SLOTS_AT_FIRST = 1_024;

const anySlot = (): boolean => true;

export class OwnedSlots {
  readonly #newest = new SlotIndex();
  /** By slot, one more than the neighbour's; 0: none. */
  #older = new Uint32Array(SLOTS_AT_FIRST);
  #newer = new Uint32Array(SLOTS_AT_FIRST);

  add(owner: string, slot: number): void {
    while (slot >= this.#older.length) {
      this.#older = doubled(this.#older);
      this.#newer = doubled(this.#newer);
    }
    const hash = hashOf(owner);
    const before = this.#newest.find(hash, anySlot);
    this.#newer[slot] = 0;
    this.#older[slot] = 0;
    if (before !== undefined) {
      this.#newest.remove(hash, before);
      this.#older[slot] = before + 1;
      this.#newer[before] = slot + 1;
    }
    this.#newest.add(hash, slot);
  }

  /** Of an owner that it was added to. */
  remove(owner: string, slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    if (older !== 0) this.#newer[older - 1] = newer;
    if (newer !== 0) {
      this.#older[newer - 1] = older;
      return;
    }
    const hash = hashOf(owner);
    this.#newest.remove(hash, slot);
    if (older !== 0) this.#newest.add(hash, older - 1);
  }

  /** The newest first, and possibly others' among them. Meanwhile nothing may be added or removed. */
  *of(owner: string): Iterable<number> {
    const newest = this.#newest.find(hashOf(owner), anySlot);
    for (let next = newest === undefined ? 0 : newest + 1; next !== 0; next = this.#older[next - 1]!) {
      yield next - 1;
    }
  }
}

function doubled(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
