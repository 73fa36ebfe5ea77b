// The part of a session row that only the projector reads: what the query columns do not say about
// the session's events. Bytes: 0x01; per event the 8 bytes of its key and the zigzag varint of
// receivedAt − at; then JSON of what differs from the usual, empty when nothing does.
//
// Usual: origin, client and place of the row for the first event; for later ones no origin, and
// the row's client and place; no previous visitor; no amount.
import { DIRECT, type Client, type Origin, type VisitEvent, type VisitPlace } from './visit-event.js';

const FORMAT = 1;

/** What an event says differently. Keys are short because most bytes of a row are rare ones of these. */
interface Unusual {
  /** Origin, client and place as their values in the order of the lists below: one content, one text. */
  readonly o?: readonly unknown[];
  readonly c?: readonly unknown[];
  readonly p?: readonly unknown[];
  /** Previous visitor. */
  readonly v?: string;
  /** Amount as it was written. */
  readonly a?: string;
}

const ORIGIN_FIELDS = [
  'referrer',
  'source',
  'channel',
  'utmSource',
  'utmMedium',
  'utmCampaign',
  'utmContent',
  'utmTerm',
] as const satisfies readonly (keyof Origin)[];
const CLIENT_FIELDS = [
  'browser',
  'browserVersion',
  'os',
  'osVersion',
  'device',
  'screen',
  'language',
  'bot',
] as const satisfies readonly (keyof Client)[];
const PLACE_FIELDS = ['country', 'region', 'city'] as const satisfies readonly (keyof VisitPlace)[];

export interface CarriedEvent {
  readonly key: string;
  /** receivedAt − at. */
  readonly receivedAfterMs: number;
  readonly origin: Origin | null;
  readonly client: Client | null;
  readonly place: VisitPlace | null;
  readonly previousVisitor: string | null;
  readonly amount: string | null;
}

export function encodeCarry(events: readonly VisitEvent[]): Buffer {
  const bytes = Buffer.allocUnsafe(1 + events.length * 17);
  let offset = bytes.writeUInt8(FORMAT, 0);
  let unusual: Record<number, Unusual> | null = null;
  const first = events[0]!;
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!;
    bytes.write(event.key, offset, 8, 'hex');
    offset = writeVarint(bytes, offset + 8, zigzag(event.receivedAt - event.at));
    const said = unusualOf(event, first);
    if (said !== null) (unusual ??= {})[index] = said;
  }
  const head = bytes.subarray(0, offset);
  return unusual === null ? head : Buffer.concat([head, Buffer.from(JSON.stringify(unusual))]);
}

/** @param count how many events the row has */
export function decodeCarry(bytes: Buffer, count: number): readonly CarriedEvent[] {
  if (bytes[0] !== FORMAT) throw new Error(`Unknown carry format ${bytes[0]}`);
  const heads: { key: string; receivedAfterMs: number }[] = [];
  let offset = 1;
  for (let index = 0; index < count; index++) {
    const key = bytes.toString('hex', offset, offset + 8);
    offset += 8;
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = bytes[offset++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte & 0x80);
    heads.push({ key, receivedAfterMs: value % 2 === 0 ? value / 2 : -(value + 1) / 2 });
  }
  const unusual: Readonly<Record<number, Unusual>> =
    offset < bytes.length ? (JSON.parse(bytes.toString('utf8', offset)) as Record<number, Unusual>) : {};
  return heads.map((head, index) => {
    const said = unusual[index] ?? {};
    return {
      ...head,
      origin: said.o ? restored<Origin>(ORIGIN_FIELDS, said.o) : index === 0 ? null : DIRECT,
      client: said.c ? restored<Client>(CLIENT_FIELDS, said.c) : null,
      place: said.p ? restored<VisitPlace>(PLACE_FIELDS, said.p) : null,
      previousVisitor: said.v ?? null,
      amount: said.a ?? null,
    };
  });
}

function unusualOf(event: VisitEvent, first: VisitEvent): Unusual | null {
  const o = event === first ? undefined : differing(ORIGIN_FIELDS, event.origin, DIRECT);
  const c = differing(CLIENT_FIELDS, event.client, first.client);
  const p = differing(PLACE_FIELDS, event.place, first.place);
  const v = event.previousVisitor ?? undefined;
  const a = event.amount ?? undefined;
  return o || c || p || v || a ? { o, c, p, v, a } : null;
}

/** Compared by value: an event read back shares no object with one just interpreted. */
function differing<T>(fields: readonly (keyof T)[], value: T, usual: T): readonly unknown[] | undefined {
  if (value === usual || fields.every((field) => value[field] === usual[field])) return undefined;
  return fields.map((field) => value[field]);
}

const restored = <T>(fields: readonly (keyof T)[], values: readonly unknown[]): T =>
  Object.fromEntries(fields.map((field, index) => [field, values[index]])) as T;

const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1);

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let offset = start;
  let rest = value;
  while (rest >= 128) {
    offset = bytes.writeUInt8((rest % 128) + 128, offset);
    rest = Math.floor(rest / 128);
  }
  return bytes.writeUInt8(rest, offset);
}
