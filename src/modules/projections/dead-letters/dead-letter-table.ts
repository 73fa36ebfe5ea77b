// Dead letters as operators see them: newest first, a page at a time, one with its event.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { DeadLetterIdentity } from '../../../events/dead-letter.events.js';
import type { Partition, Position } from '../../../tracking-log/tracking-log.js';

export interface ListedLetter {
  readonly id: string;
  readonly projection: string;
  readonly version: number;
  readonly partition: Partition;
  readonly position: Position;
  /** One, or those of a batch that nobody could read. */
  readonly events: number;
  readonly site: string | null;
  readonly eventId: string | null;
  readonly error: string;
  readonly failedAt: string;
}

export interface ShownLetter extends ListedLetter {
  readonly event: Readonly<Record<string, unknown>> | null;
}

/** What a letter keeps of the log. */
export interface LetterContent {
  /** Null where a release before the column wrote the letter. */
  readonly batch: Buffer | null;
  readonly event: Readonly<Record<string, unknown>> | null;
}

export interface LetterFilter {
  readonly projection?: string | undefined;
  readonly site?: string | undefined;
}

/** Where a page ends: the place of its last letter. */
export type LetterPlace = Pick<ListedLetter, 'failedAt' | 'id'>;

export interface LetterPage {
  readonly filter: LetterFilter;
  readonly before: LetterPlace | null;
  readonly limit: number;
}

/** With microseconds, of which a Date has none: it is compared again. */
const FAILED_AT = `to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const COLUMNS = `id, projection, version, partition, position, events, site, event_id AS "eventId", error,
  ${FAILED_AT} AS "failedAt"`;

@Injectable()
export class DeadLetterTable {
  constructor(private readonly pool: Pool) {}

  async list({ filter, before, limit }: LetterPage): Promise<readonly ListedLetter[]> {
    const { rows } = await this.pool.query<ListedLetter>(
      `SELECT ${COLUMNS} FROM dead_letters
       WHERE ($1::text IS NULL OR projection = $1) AND ($2::text IS NULL OR site = $2)
         AND ($3::timestamptz IS NULL OR (failed_at, id) < ($3, $4))
       ORDER BY failed_at DESC, id DESC LIMIT $5`,
      [filter.projection, filter.site, before?.failedAt, before?.id, limit],
    );
    return rows;
  }

  async find(id: string): Promise<ShownLetter | undefined> {
    const { rows } = await this.pool.query<ShownLetter>(
      `SELECT ${COLUMNS}, event FROM dead_letters WHERE id = $1`,
      [id],
    );
    return rows[0];
  }

  async content({ letter, failedAt }: DeadLetterIdentity): Promise<LetterContent | undefined> {
    const { rows } = await this.pool.query<LetterContent>(
      'SELECT batch, event FROM dead_letters WHERE id = $1 AND failed_at = $2',
      [letter, failedAt],
    );
    return rows[0];
  }

  async idsAfter(after: string | null, limit: number): Promise<readonly string[]> {
    const { rows } = await this.pool.query<{ id: string }>(
      `SELECT id FROM dead_letters WHERE id > coalesce($1, '') ORDER BY id LIMIT $2`,
      [after, limit],
    );
    return rows.map(({ id }) => id);
  }

  async has({ letter, failedAt }: DeadLetterIdentity): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      'SELECT 1 FROM dead_letters WHERE id = $1 AND failed_at = $2',
      [letter, failedAt],
    );
    return rowCount !== 0;
  }
}
