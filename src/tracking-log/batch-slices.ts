// The events of a batch as pieces of its text, for whoever wants of an event only where it belongs: to
// decode it for that, and to encode it again, costs many times as much.
//
// What it stands on: a batch is JSON as JSON.stringify writes it, and a quote within a string has a backslash
// before it. So `,"visitor":"` is nothing but the beginning of a field, and `},{"id":"` lies between two
// events, as nothing within an event is a list. Where a batch looks any different from what intake writes
// today, it is decoded after all.
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from '../events/tracked-event.js';
import {
  CLOSE_BRACKET,
  COMMA,
  decodeBatch,
  encodeBatch,
  encodedBytes,
  encodeEvent,
  eventCountOf,
  HEADER_BYTES,
  OPEN_BRACKET,
  schemaOfIntact,
  sealBatch,
  SUM_BYTES,
} from './batch-codec.js';

/** An event of today's schema as it lies in a batch. */
export interface EventSlice {
  readonly site: string;
  readonly visitor: string;
  readonly previousVisitor: string | undefined;
  /** From `start` up to `end` its JSON. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** @throws DamagedBatchError; UnknownEventSchemaError when a newer version wrote the batch. */
export function sliceBatch(bytes: Buffer): readonly EventSlice[] {
  const isCurrent = schemaOfIntact(bytes) === TRACKED_EVENT_SCHEMA;
  return (isCurrent ? slicesOf(bytes) : null) ?? sliceEvents(decodeBatch(bytes).events);
}

export function sliceEvents(events: readonly TrackedEvent[]): readonly EventSlice[] {
  const encoded = events.map(encodeEvent);
  const bytes = encodeBatch(encoded, 0, Buffer.allocUnsafe(encodedBytes(encoded)));
  let end = HEADER_BYTES;
  return events.map(({ site, visitor, previousVisitor }, index) => {
    const start = end + 1;
    end = start + encoded[index]!.bytes;
    return { site, visitor, previousVisitor, bytes, start, end };
  });
}

/** Whose bytes are no piece of anything larger. */
export function copySlice({ bytes, start, end, ...rest }: EventSlice): EventSlice {
  return { ...rest, bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start };
}

export const decodeSlice = ({ bytes, start, end }: EventSlice): TrackedEvent =>
  JSON.parse(bytes.toString('utf8', start, end)) as TrackedEvent;

const COMMA_BYTES = 1;
const CLOSING_BYTES = 1 + SUM_BYTES;
const GROWING_BYTES_MIN = 4_096;

/** A batch that is put together of slices of others, and again: its memory is kept. */
export class GrowingBatch {
  #bytes = Buffer.allocUnsafeSlow(GROWING_BYTES_MIN);
  #end = HEADER_BYTES;
  #events = 0;

  get events(): number {
    return this.#events;
  }

  /** Taken of memory. */
  get capacityBytes(): number {
    return this.#bytes.length;
  }

  add({ bytes, start, end }: EventSlice): void {
    const needed = this.#end + COMMA_BYTES + (end - start) + CLOSING_BYTES;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes[this.#end] = this.#events === 0 ? OPEN_BRACKET : COMMA;
    this.#end += COMMA_BYTES + bytes.copy(this.#bytes, this.#end + COMMA_BYTES, start, end);
    this.#events++;
  }

  /** As it is now; good until the next event is added. */
  seal(): Buffer {
    this.#bytes[this.#end] = CLOSE_BRACKET;
    return sealBatch(this.#bytes, this.#end + 1, { appendedAt: 0, events: this.#events });
  }

  clear(): void {
    this.#end = HEADER_BYTES;
    this.#events = 0;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}

const ID = '{"id":"';
const SITE = '","site":"';
const VISITOR = ',"visitor":"';
const PREVIOUS = ',"previousVisitor":"';
const BETWEEN = `},${ID}`;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ASCII_MAX = 0x7f;

/** Null: it must be decoded. */
function slicesOf(bytes: Buffer): readonly EventSlice[] | null {
  // A character of it is a byte.
  const text = bytes.toString('latin1', 0, bytes.length - SUM_BYTES);
  const slices: EventSlice[] = [];
  let previousAt = find(text, PREVIOUS, 0);
  for (let start = HEADER_BYTES + 1; start < text.length;) {
    const end = Math.min(find(text, BETWEEN, start) + 1, text.length - 1);
    const site = siteIn(text, start);
    const visitor = site && visitorIn(text, start, site.end);
    if (site === null || visitor === null) return null;
    let previous: Place | null = null;
    if (previousAt < end) {
      // Directly after the visitor and nowhere else, or it may be a property.
      const isField = previousAt === visitor.end + 1;
      previous = isField ? plainFrom(text, previousAt + PREVIOUS.length) : null;
      if (previous === null) return null;
      previousAt = find(text, PREVIOUS, previous.end);
      if (previousAt < end) return null;
    }
    slices.push({
      site: textOf(bytes, site),
      visitor: textOf(bytes, visitor),
      previousVisitor: previous === null ? undefined : textOf(bytes, previous),
      ...{ bytes, start, end },
    });
    start = end + 1;
  }
  return slices.length === eventCountOf(bytes) ? slices : null;
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Not a piece of the batch's text, which would be kept in memory with it. */
const textOf = (bytes: Buffer, { start, end }: Place): string => bytes.toString('latin1', start, end);

/** An event begins with its id and its site. */
function siteIn(text: string, start: number): Place | null {
  if (!text.startsWith(ID, start)) return null;
  const id = plainFrom(text, start + ID.length);
  return id !== null && text.startsWith(SITE, id.end) ? plainFrom(text, id.end + SITE.length) : null;
}

/** Before anything in braces: within them it could be a property. */
function visitorIn(text: string, start: number, from: number): Place | null {
  const at = text.indexOf(VISITOR, from);
  return at < 0 || at > find(text, '{', start + 1) ? null : plainFrom(text, at + VISITOR.length);
}

/** A string that is in JSON what it is, byte for byte, up to its closing quote. */
function plainFrom(text: string, start: number): Place | null {
  for (let end = start; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return { start, end };
    if (code === BACKSLASH || code > ASCII_MAX) return null;
  }
  return null;
}

/** The end of the text where it is not found. */
function find(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from);
  return index < 0 ? text.length : index;
}
