// How many different visitors several sketches hold together. Reads their bytes as they come from
// the table, without an object or a string per visitor: a month of a large site is a million ids.
import {
  DENSE_FORMAT,
  estimate,
  EXACT_FORMAT,
  observeVisitor,
  REGISTERS,
  VISITOR_BYTES,
} from './visitor-sketch.js';
import { IDS_FORMAT } from './visitor-ids.js';

const INITIAL_SLOTS = 256;

export class VisitorUnion {
  /** Open addressing; ids are uniform hashes, so their own bits choose the slot. Both words 0: free. */
  #high = new Uint32Array(INITIAL_SLOTS);
  #low = new Uint32Array(INITIAL_SLOTS);
  #size = 0;
  /** The one id that looks like a free slot. */
  #hasZero = false;
  #registers: Uint8Array | null = null;

  /** False once a sketch was added that had counted beyond its exact bound. */
  get exact(): boolean {
    return this.#registers === null;
  }

  /** @param sketch bytes as `encodeSketch` or `summaryOfIds` writes them */
  add(sketch: Buffer): void {
    if (sketch[0] === EXACT_FORMAT) this.#addExact(sketch);
    else if (sketch[0] === DENSE_FORMAT) this.#addDense(sketch);
    else if (sketch[0] === IDS_FORMAT) this.#addIds(sketch);
    else throw new Error(`Unknown visitor sketch format ${sketch[0]}`);
  }

  /** Exact, or within about 0.8 % (one standard error) where `exact` is false. */
  count(): number {
    if (this.#registers === null) return this.#size + (this.#hasZero ? 1 : 0);
    const registers = this.#registers.slice();
    if (this.#hasZero) observeVisitor(registers, 0, 0);
    for (let slot = 0; slot < this.#high.length; slot++) {
      const high = this.#high[slot]!;
      const low = this.#low[slot]!;
      if (high !== 0 || low !== 0) observeVisitor(registers, high, low);
    }
    return estimate(registers);
  }

  #addExact(sketch: Buffer): void {
    let offset = 1;
    while (offset < sketch.length) {
      this.#insert(sketch.readUInt32BE(offset), sketch.readUInt32BE(offset + 4));
      offset += VISITOR_BYTES;
      while (sketch[offset++]! & 0x80); // the varint of sessions, which a union does not need
    }
  }

  #addIds(sketch: Buffer): void {
    for (let offset = 1; offset < sketch.length; offset += VISITOR_BYTES) {
      this.#insert(sketch.readUInt32BE(offset), sketch.readUInt32BE(offset + 4));
    }
  }

  #addDense(sketch: Buffer): void {
    this.#registers ??= new Uint8Array(REGISTERS);
    for (let register = 0; register < REGISTERS; register++) {
      const rank = sketch[register + 1]!;
      if (rank > this.#registers[register]!) this.#registers[register] = rank;
    }
  }

  #insert(high: number, low: number): void {
    if (high === 0 && low === 0) {
      this.#hasZero = true;
      return;
    }
    const mask = this.#high.length - 1;
    let slot = low & mask;
    while (this.#high[slot] !== 0 || this.#low[slot] !== 0) {
      if (this.#high[slot] === high && this.#low[slot] === low) return;
      slot = (slot + 1) & mask;
    }
    this.#high[slot] = high;
    this.#low[slot] = low;
    if (++this.#size * 2 > this.#high.length) this.#grow();
  }

  #grow(): void {
    const high = this.#high;
    const low = this.#low;
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(high.length * 2);
    this.#size = 0;
    for (let slot = 0; slot < high.length; slot++) {
      if (high[slot] !== 0 || low[slot] !== 0) this.#insert(high[slot]!, low[slot]!);
    }
  }
}
