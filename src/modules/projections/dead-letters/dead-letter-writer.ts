// Writes dead letters in the transaction that passes their events over. Must take any text there may be:
// a letter that cannot be written would stop its partition for good.
import type { PoolClient } from 'pg';
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { encodeBatch, encodedBytes, encodeEvent } from '../../../tracking-log/batch-codec.js';
import type { DeadLetter } from './dead-letter.js';

const ERROR_CHARS_MAX = 2_000;
/** Of a letter's bytes: when they are appended again, the log stamps them anew. */
const NOT_APPENDED = 0;

export async function insertDeadLetters(client: PoolClient, letters: readonly DeadLetter[]): Promise<void> {
  for (const letter of letters) {
    const { projection, version, partition, position, error } = letter;
    const { place, site, eventId, event, events, batch } = contentOf(letter);
    await client.query(
      `INSERT INTO dead_letters
         (id, projection, version, partition, position, site, event_id, event, events, batch, error)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
      [
        `${projection}-${version}-${partition}-${position}-${place}`,
        projection,
        version,
        partition,
        position,
        site,
        eventId,
        event,
        events,
        batch,
        storable(error).slice(0, ERROR_CHARS_MAX),
      ],
    );
  }
}

interface Content {
  /** The letter's name within its batch. */
  readonly place: string;
  readonly site: string | null;
  readonly eventId: string | null;
  /** JSON, for people and for filters: repaired where PostgreSQL could not store it. */
  readonly event: string | null;
  readonly events: number;
  /** What a replay reads: exact, and in the log's own format, which says the schema. */
  readonly batch: Buffer;
}

function contentOf(letter: DeadLetter): Content {
  if (letter.kind === 'batch') {
    const { events, bytes } = letter.unknown;
    return { place: 'batch', site: null, eventId: null, event: null, events, batch: bytes };
  }
  const { index, event } = letter;
  return {
    place: String(index),
    site: storable(event.site),
    eventId: storable(event.id),
    event: JSON.stringify(storableValue(event)),
    events: 1,
    batch: batchOf(event),
  };
}

function batchOf(event: TrackedEvent): Buffer {
  const encoded = [encodeEvent(event)];
  return encodeBatch(encoded, NOT_APPENDED, Buffer.alloc(encodedBytes(encoded)));
}

/** PostgreSQL stores neither NUL nor lone surrogates; here even an event that has them must be stored. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '');

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storable(key), storableValue(inner)]),
  );
}
