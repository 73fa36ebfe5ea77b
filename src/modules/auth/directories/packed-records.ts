// Records as text, a million of them, outside the JavaScript heap: their bytes one after another in buffers of a
// megabyte, so that they take little more than their length and the garbage collector sees a few hundred objects.
// A record is known by its slot, a small number that is its own until it is removed. A buffer of which more than
// half is of records that are gone gives the others to the newest buffer and is reused.

const CHUNK_BYTES = 1 << 20;
/** Records begin at multiples of it, so that 32 bits say where one is among 32 GB. */
const UNIT_BYTES = 8;
const UNITS_PER_CHUNK = CHUNK_BYTES / UNIT_BYTES;
/** Before each record: its slot and its length. */
const HEAD_BYTES = 6;
const RECORD_BYTES_MAX = 65_535;
const SLOTS_AT_FIRST = 1_024;
const NOWHERE = 0xff_ff_ff_ff;

interface Chunk {
  bytes: Buffer;
  used: number;
  /** Of `used`, what belongs to records that are there. */
  live: number;
}

export class PackedRecords {
  readonly #chunks: Chunk[] = [];
  readonly #emptied: number[] = [];
  #newest = -1;
  /** By slot: unit of the chunks where it begins. */
  #places = new Uint32Array(SLOTS_AT_FIRST).fill(NOWHERE);
  readonly #freeSlots: number[] = [];
  #slotsEver = 0;

  get size(): number {
    return this.#slotsEver - this.#freeSlots.length;
  }

  /** @throws RangeError when it has more than 65,535 bytes. */
  add(record: string): number {
    const place = this.#write(this.#freeSlots.at(-1) ?? this.#slotsEver, record);
    const slot = this.#freeSlots.pop() ?? this.#slotsEver++;
    if (slot >= this.#places.length) this.#places = doubled(this.#places);
    this.#places[slot] = place;
    return slot;
  }

  replace(slot: number, record: string): void {
    const place = this.#write(slot, record);
    const before = this.#places[slot]!;
    this.#places[slot] = place;
    this.#forget(before);
  }

  remove(slot: number): void {
    const place = this.#places[slot]!;
    this.#places[slot] = NOWHERE;
    this.#freeSlots.push(slot);
    this.#forget(place);
  }

  /** Of a slot that is taken. */
  get(slot: number): string {
    const place = this.#places[slot]!;
    const { bytes } = this.#chunks[Math.floor(place / UNITS_PER_CHUNK)]!;
    const at = (place % UNITS_PER_CHUNK) * UNIT_BYTES;
    return bytes.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + bytes.readUInt16LE(at + 4));
  }

  /** Those taken. Meanwhile nothing may be added or removed. */
  *slots(): Iterable<number> {
    for (let slot = 0; slot < this.#slotsEver; slot++) if (this.#places[slot] !== NOWHERE) yield slot;
  }

  #write(slot: number, record: string): number {
    const length = Buffer.byteLength(record);
    if (length > RECORD_BYTES_MAX) throw new RangeError(`A record of ${length} bytes is too long.`);
    const { chunk, place } = this.#reserve(padded(HEAD_BYTES + length));
    const at = (place % UNITS_PER_CHUNK) * UNIT_BYTES;
    chunk.bytes.writeUInt32LE(slot, at);
    chunk.bytes.writeUInt16LE(length, at + 4);
    chunk.bytes.write(record, at + HEAD_BYTES, 'utf8');
    return place;
  }

  #reserve(bytes: number): { readonly chunk: Chunk; readonly place: number } {
    let chunk = this.#chunks[this.#newest];
    if (chunk === undefined || chunk.used + bytes > CHUNK_BYTES) {
      this.#newest = this.#emptied.pop() ?? this.#chunks.length;
      chunk = this.#chunks[this.#newest] ??= { bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), used: 0, live: 0 };
    }
    const place = this.#newest * UNITS_PER_CHUNK + chunk.used / UNIT_BYTES;
    chunk.used += bytes;
    chunk.live += bytes;
    return { chunk, place };
  }

  #forget(place: number): void {
    const number = Math.floor(place / UNITS_PER_CHUNK);
    const chunk = this.#chunks[number]!;
    chunk.live -= recordBytes(chunk.bytes, (place % UNITS_PER_CHUNK) * UNIT_BYTES);
    if (number !== this.#newest && chunk.live * 2 < chunk.used) this.#empty(number);
  }

  #empty(number: number): void {
    const { bytes, used } = this.#chunks[number]!;
    for (let at = 0; at < used;) {
      const length = recordBytes(bytes, at);
      const slot = bytes.readUInt32LE(at);
      if (this.#places[slot] === number * UNITS_PER_CHUNK + at / UNIT_BYTES) {
        const { chunk, place } = this.#reserve(length);
        bytes.copy(chunk.bytes, (place % UNITS_PER_CHUNK) * UNIT_BYTES, at, at + length);
        this.#places[slot] = place;
      }
      at += length;
    }
    Object.assign(this.#chunks[number]!, { used: 0, live: 0 });
    this.#emptied.push(number);
  }
}

const padded = (bytes: number): number => Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;

const recordBytes = (bytes: Buffer, at: number): number => padded(HEAD_BYTES + bytes.readUInt16LE(at + 4));

function doubled(places: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(places.length * 2).fill(NOWHERE);
  larger.set(places);
  return larger;
}
