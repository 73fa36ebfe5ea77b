// Rows as PostgreSQL's binary COPY format: the cheapest way from numbers and strings in this
// process to a table. (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format")
//
// 64-bit integers travel as 16 hexadecimal digits or as numbers, never as BigInt, which costs more
// than the rest of the row. Rows lie in chunks that are used again, because one buffer that doubles
// holds up to twice its rows, and megabytes outside the heap wait long for their collection.

import { RowOrder } from './row-order.js';

export type ColumnType =
  | 'text'
  | 'smallint'
  | 'integer'
  /** A number that stays below 2^53. */
  | 'bigint'
  /** A 64-bit hash as 16 hexadecimal digits, stored as bigint. */
  | 'hash64'
  /** Epoch milliseconds. */
  | 'timestamptz'
  | 'boolean'
  | 'bytea'
  | 'jsonb'
  | 'text[]'
  | 'smallint[]'
  | 'integer[]'
  | 'bigint[]'
  | 'hash64[]'
  | 'boolean[]';

export type ColumnValue =
  string | number | boolean | Buffer | null | readonly (string | number | boolean | null)[];

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const POSTGRES_EPOCH_MS = 946_684_800_000;
const ELEMENT_OIDS = { text: 25, smallint: 21, integer: 23, bigint: 20, hash64: 20, boolean: 16 } as const;
type ElementType = keyof typeof ELEMENT_OIDS;
const TWO_TO_32 = 4_294_967_296;

/** SQL's name of a column type. */
export const sqlType = (type: ColumnType): string => type.replace('hash64', 'bigint');

const CHUNK_BYTES = 262_144;
/** Chunks of finished copies. */
const spare: Buffer[] = [];
const SPARE_MAX = 64;

export class BinaryCopy {
  /** Full ones, each a view of what is used of it. */
  readonly #full: Buffer[] = [];
  /** The chunk that is being written; rows never span chunks. */
  #bytes: Buffer = takeChunk();
  #length = SIGNATURE.length;
  #rowStart = SIGNATURE.length;
  #rows = 0;
  readonly #order: RowOrder | undefined;

  /** @param orderedBy places of the columns by which rows are sent in order; none: as they are added */
  constructor(
    private readonly types: readonly ColumnType[],
    orderedBy: readonly number[] = [],
  ) {
    this.#order = orderedBy.length > 0 ? new RowOrder(orderedBy) : undefined;
    SIGNATURE.copy(this.#bytes);
  }

  get rows(): number {
    return this.#rows;
  }

  /** @param values in the order of the column types */
  add(values: readonly ColumnValue[]): void {
    this.#rowStart = this.#length;
    this.#reserve(2);
    this.#length = this.#bytes.writeInt16BE(this.types.length, this.#length);
    for (let index = 0; index < this.types.length; index++) {
      const value = values[index]!;
      if (value === null) this.#int32(-1);
      else this.#field(this.types[index]!, value);
    }
    this.#order?.note(values, { chunk: this.#full.length, start: this.#rowStart, end: this.#length });
    this.#rows++;
  }

  /** The whole stream, trailer included. No row may be added afterwards. */
  finish(): readonly Buffer[] {
    if (this.#order) this.#putInOrder(this.#order);
    this.#rowStart = this.#length;
    this.#reserve(2);
    this.#length = this.#bytes.writeInt16BE(-1, this.#length);
    return [...this.#full, this.#bytes.subarray(0, this.#length)];
  }

  /** The bytes were sent, or never will be: nothing of this copy may be used any more. */
  release(): void {
    for (const chunk of [...this.#full, this.#bytes]) giveBack(chunk);
    this.#full.length = 0;
    this.#bytes = Buffer.alloc(0);
  }

  /** Once more into other chunks: a write for each row would cost more than copying them. */
  #putInOrder(order: RowOrder): void {
    const chunks = [...this.#full, this.#bytes];
    this.#full.length = 0;
    this.#bytes = takeChunk();
    this.#length = this.#rowStart = SIGNATURE.copy(this.#bytes);
    for (const { chunk, start, end } of order.places()) {
      this.#rowStart = this.#length;
      this.#reserve(end - start);
      this.#length += chunks[chunk]!.copy(this.#bytes, this.#length, start, end);
    }
    for (const chunk of chunks) giveBack(chunk);
  }

  #field(type: ColumnType, value: Exclude<ColumnValue, null>): void {
    switch (type) {
      case 'text':
        return this.#text(value as string);
      case 'timestamptz':
        this.#int32(8);
        return this.#int64(((value as number) - POSTGRES_EPOCH_MS) * 1_000);
      case 'jsonb':
        return this.#jsonb(value as string);
      case 'bytea': {
        const bytes = value as Buffer;
        this.#int32(bytes.length);
        this.#reserve(bytes.length);
        this.#length += bytes.copy(this.#bytes, this.#length);
        return;
      }
      case 'smallint':
      case 'integer':
      case 'bigint':
      case 'hash64':
      case 'boolean':
        return this.#scalar(type, value as string | number | boolean);
      default:
        return this.#array(
          type.slice(0, -2) as ElementType,
          value as readonly (string | number | boolean | null)[],
        );
    }
  }

  #array(type: ElementType, values: readonly (string | number | boolean | null)[]): void {
    this.#reserve(24);
    // Seen from the row, which may move into another chunk.
    const start = this.#length - this.#rowStart;
    this.#length += 4;
    this.#int32(values.length === 0 ? 0 : 1);
    this.#int32(values.includes(null) ? 1 : 0);
    this.#int32(ELEMENT_OIDS[type]);
    if (values.length > 0) {
      this.#int32(values.length);
      this.#int32(1);
      for (const value of values) {
        if (value === null) this.#int32(-1);
        else this.#scalar(type, value);
      }
    }
    const place = this.#rowStart + start;
    this.#bytes.writeInt32BE(this.#length - place - 4, place);
  }

  #scalar(type: ElementType, value: string | number | boolean): void {
    switch (type) {
      case 'text':
        return this.#text(value as string);
      case 'integer':
        this.#int32(4);
        return this.#int32(value as number);
      case 'smallint':
        this.#int32(2);
        this.#reserve(2);
        this.#length = this.#bytes.writeInt16BE(value as number, this.#length);
        return;
      case 'bigint':
        this.#int32(8);
        return this.#int64(value as number);
      case 'hash64':
        this.#reserve(12);
        this.#bytes.writeInt32BE(8, this.#length);
        writeHash(this.#bytes, value as string, this.#length + 4);
        this.#length += 12;
        return;
      case 'boolean':
        this.#int32(1);
        this.#reserve(1);
        this.#bytes[this.#length++] = value ? 1 : 0;
    }
  }

  #text(text: string): void {
    this.#reserve(4 + text.length * 3);
    const start = this.#length + 4;
    const bytes = writeShortAscii(this.#bytes, text, start) ?? this.#bytes.write(text, start, 'utf8');
    this.#bytes.writeInt32BE(bytes, this.#length);
    this.#length = start + bytes;
  }

  #jsonb(text: string): void {
    this.#reserve(5 + text.length * 3);
    const bytes = this.#bytes.write(text, this.#length + 5, 'utf8');
    this.#bytes.writeInt32BE(bytes + 1, this.#length);
    this.#bytes[this.#length + 4] = 1; // version of the binary form of jsonb
    this.#length += 5 + bytes;
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
  }

  #int64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / TWO_TO_32);
    this.#bytes.writeInt32BE(high, this.#length);
    this.#length = this.#bytes.writeUInt32BE(value - high * TWO_TO_32, this.#length + 4);
  }

  #reserve(more: number): void {
    if (this.#length + more > this.#bytes.length) this.#moveRow(more);
  }

  /** To the beginning of a chunk that has room for it. */
  #moveRow(more: number): void {
    const begun = this.#bytes.subarray(this.#rowStart, this.#length);
    const needed = begun.length + more;
    const next = needed <= CHUNK_BYTES ? takeChunk() : Buffer.allocUnsafeSlow(needed * 2);
    begun.copy(next);
    if (this.#rowStart > 0) this.#full.push(this.#bytes.subarray(0, this.#rowStart));
    this.#bytes = next;
    this.#length = begun.length;
    this.#rowStart = 0;
  }
}

const takeChunk = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** @param chunk or a view of it */
function giveBack(chunk: Buffer): void {
  // A row larger than a chunk had one of its own, which is not kept.
  const whole = Buffer.from(chunk.buffer);
  if (whole.length === CHUNK_BYTES && spare.length < SPARE_MAX) spare.push(whole);
}

/** Below this length a loop beats the call into the runtime. */
const SHORT_CHARS_MAX = 40;

/** How many bytes were written; undefined when the text is long or not all ASCII. */
function writeShortAscii(bytes: Buffer, text: string, start: number): number | undefined {
  const { length } = text;
  if (length > SHORT_CHARS_MAX) return undefined;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return undefined;
    bytes[start + index] = code;
  }
  return length;
}

/** 16 lower-case hexadecimal digits as 8 bytes. */
function writeHash(bytes: Buffer, hash: string, start: number): void {
  for (let index = 0; index < 8; index++) {
    bytes[start + index] = (nibble(hash.charCodeAt(index * 2)) << 4) | nibble(hash.charCodeAt(index * 2 + 1));
  }
}

const nibble = (code: number): number => (code < 0x40 ? code - 0x30 : code - 0x57);
