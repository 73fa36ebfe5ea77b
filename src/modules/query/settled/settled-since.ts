// Which days were settled when: what an answer from a sample depends on besides the facts, because what is settled
// after it might answer the question from all visits. Days are settled without any session changing.
import { LRUCache } from 'lru-cache';
import type { ClientBase, Pool } from 'pg';
import { timestamp } from '../facts/sql-parameters.js';
import type { Range } from '../request/date-range.js';
import { KnownSettledTables, type SettledTables } from './settled-tables.js';

export interface DaysAsked {
  readonly site: string;
  readonly span: Range;
  /** Of the read models. */
  readonly version: number;
}

const REMEMBERED_MAX = 10_000;
const REMEMBERED_MS = 1_000;

export class SettledSince {
  readonly #tables = new KnownSettledTables();
  readonly #remembered = new LRUCache<string, string>({ max: REMEMBERED_MAX, ttl: REMEMBERED_MS });

  /** Null while nothing was ever settled. */
  tablesOf(client: ClientBase, version: number): Promise<SettledTables | null> {
    return this.#tables.of(client, version);
  }

  /** In the client's snapshot: another text as soon as a day of the span was settled, or settled anew. */
  async of(client: ClientBase, { site, span, version }: DaysAsked): Promise<string> {
    const tables = await this.#tables.of(client, version);
    if (tables === null) return '';
    const { rows } = await client.query<{ settled: string }>(
      `SELECT concat_ws(' ', count(*), extract(epoch FROM max(settled_at))) AS settled FROM ${tables.days}
        WHERE site = $1 AND day >= $2 AND day < $3`,
      [site, timestamp(span.from), timestamp(span.to)],
    );
    return rows[0]!.settled;
  }

  /** At most a second old. */
  async now(pool: Pool, days: DaysAsked): Promise<string> {
    const key = [days.version, days.span.from, days.span.to, days.site].join(' ');
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const client = await pool.connect();
    try {
      const settled = await this.of(client, days);
      this.#remembered.set(key, settled);
      return settled;
    } finally {
      client.release();
    }
  }
}
