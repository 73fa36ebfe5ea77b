// Between a batch of events and the bytes that the log stores. An event is turned into text once,
// at intake, where its size is needed for the queue's bound; that text is what is stored.
// A damaged batch is refused when read, never half understood.
//
//   0  framing version (1)       4  number of events    16  JSON array of events, UTF-8
//   1  zero                      8  appendedAt, f64      …  CRC-32 of all the above, the last
//   2  schema of the events                                 four bytes (numbers little endian)
import { crc32 } from 'node:zlib';
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from '../events/tracked-event.js';
import { upcast } from '../events/upcasters.js';

const FRAMING = 1;
/** Before the events' text. */
export const HEADER_BYTES = 16;
/** After it. */
export const SUM_BYTES = 4;
export const OPEN_BRACKET = 0x5b;
export const COMMA = 0x2c;
export const CLOSE_BRACKET = 0x5d;

/** An event as it will be stored. */
export interface EncodedEvent {
  readonly json: string;
  /** Length of `json` in UTF-8. */
  readonly bytes: number;
  readonly receivedAt: number;
}

export interface DecodedBatch {
  readonly appendedAt: number;
  readonly events: readonly TrackedEvent[];
}

export class DamagedBatchError extends Error {
  override readonly name = 'DamagedBatchError';
  constructor(what: string) {
    super(`A batch of the tracking log cannot be read: ${what}`);
  }
}

export function encodeEvent(event: TrackedEvent): EncodedEvent {
  const json = JSON.stringify(event);
  return { json, bytes: Buffer.byteLength(json), receivedAt: event.receivedAt };
}

/** Bytes that `encodeBatch` makes of these events. */
export function encodedBytes(events: readonly EncodedEvent[]): number {
  let bytes = HEADER_BYTES + 1 + events.length + SUM_BYTES;
  for (const event of events) bytes += event.bytes;
  return bytes;
}

/** `appendedAt` of a batch that is appended now: not before any of its events was received, nor before `notBefore`. */
export function stampOf(events: readonly EncodedEvent[], notBefore = 0): number {
  let stamp = Math.max(Date.now(), notBefore);
  for (const { receivedAt } of events) stamp = Math.max(stamp, receivedAt);
  return stamp;
}

/** Into the beginning of `target`, which must be large enough; what it returns is a view of it. */
export function encodeBatch(events: readonly EncodedEvent[], appendedAt: number, target: Buffer): Buffer {
  let offset = HEADER_BYTES;
  let separator = OPEN_BRACKET;
  for (const { json, bytes } of events) {
    target[offset++] = separator;
    offset += target.write(json, offset, bytes === json.length ? 'latin1' : 'utf8');
    separator = COMMA;
  }
  target[offset++] = CLOSE_BRACKET;
  return sealBatch(target, offset, { appendedAt, events: events.length });
}

/** Puts header and checksum around the text of events that lies in `target` already, up to `end`. */
export function sealBatch(
  target: Buffer,
  end: number,
  { appendedAt, events }: { readonly appendedAt: number; readonly events: number },
): Buffer {
  target.writeUInt8(FRAMING, 0);
  target.writeUInt8(0, 1);
  target.writeUInt16LE(TRACKED_EVENT_SCHEMA, 2);
  target.writeUInt32LE(events, 4);
  target.writeDoubleLE(appendedAt, 8);
  target.writeUInt32LE(crc32(target.subarray(0, end)), end);
  return target.subarray(0, end + SUM_BYTES);
}

/** The time alone, without looking at the events. */
export function appendedAtOf(bytes: Buffer): number {
  refuseUnknownFraming(bytes);
  return bytes.readDoubleLE(8);
}

/** How many events the batch says it has, without looking at them. */
export function eventCountOf(bytes: Buffer): number {
  refuseUnknownFraming(bytes);
  return bytes.readUInt32LE(4);
}

/** Of its events. @throws DamagedBatchError unless all of the batch is as it was written */
export function schemaOfIntact(bytes: Buffer): number {
  refuseUnknownFraming(bytes);
  const sumOffset = bytes.length - SUM_BYTES;
  if (bytes.readUInt32LE(sumOffset) !== crc32(bytes.subarray(0, sumOffset))) {
    throw new DamagedBatchError('its checksum does not match its content');
  }
  return bytes.readUInt16LE(2);
}

/** @throws DamagedBatchError; UnknownEventSchemaError when a newer version wrote the batch. */
export function decodeBatch(bytes: Buffer): DecodedBatch {
  const schema = schemaOfIntact(bytes);
  const raw = JSON.parse(bytes.toString('utf8', HEADER_BYTES, bytes.length - SUM_BYTES)) as unknown[];
  const events = raw.map((event) => upcast(schema, event));
  if (events.length !== eventCountOf(bytes)) {
    throw new DamagedBatchError(`it says ${eventCountOf(bytes)} events and holds ${events.length}`);
  }
  return { appendedAt: bytes.readDoubleLE(8), events };
}

function refuseUnknownFraming(bytes: Buffer): void {
  if (bytes.length <= HEADER_BYTES + SUM_BYTES)
    throw new DamagedBatchError(`it has only ${bytes.length} bytes`);
  if (bytes[0] !== FRAMING) throw new DamagedBatchError(`its framing is ${bytes[0]}, not ${FRAMING}`);
}
