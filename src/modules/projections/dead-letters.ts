// Events that could not be folded, kept with the reason in the transaction that passes them over,
// so that none disappears and one bad event stops nobody else's numbers.
import type { PoolClient } from 'pg';
import type { TrackedEvent } from '../../events/tracked-event.js';
import type { Partition, Position } from '../../tracking-log/tracking-log.js';

export interface DeadLetter {
  readonly projection: string;
  readonly version: number;
  readonly partition: Partition;
  readonly position: Position;
  /** Place within its batch. */
  readonly index: number;
  readonly event: TrackedEvent;
  readonly error: string;
}

const ERROR_CHARS_MAX = 2_000;

export async function insertDeadLetters(client: PoolClient, letters: readonly DeadLetter[]): Promise<void> {
  for (const { projection, version, partition, position, index, event, error } of letters) {
    await client.query(
      `INSERT INTO dead_letters (id, projection, version, partition, position, event_id, site, event, error)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
      [
        `${projection}-${version}-${partition}-${position}-${index}`,
        projection,
        version,
        partition,
        position,
        storable(event.id),
        storable(event.site),
        JSON.stringify(storableValue(event)),
        storable(error).slice(0, ERROR_CHARS_MAX),
      ],
    );
  }
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
