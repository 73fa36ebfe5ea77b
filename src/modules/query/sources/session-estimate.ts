// How many sessions the facts would have to look at for a range: from the rollup, whatever the site's
// size, and remembered for a minute, because the panels of a dashboard all ask about the same range.
import { LRUCache } from 'lru-cache';
import type { ClientBase } from 'pg';
import type { Range } from '../request/date-range.js';
import { timestamp } from '../facts/sql-parameters.js';

export interface EstimatedSessions {
  readonly site: string;
  readonly range: Range;
  /** Of the rollup. */
  readonly table: string;
}

const REMEMBERED_MAX = 10_000;
const REMEMBERED_MS = 60_000;

export class SessionEstimates {
  readonly #remembered = new LRUCache<string, number>({ max: REMEMBERED_MAX, ttl: REMEMBERED_MS });

  /** Bots included: they are read, too. */
  async of(client: ClientBase, { site, range, table }: EstimatedSessions): Promise<number> {
    const key = [table, range.from, range.to, site].join(' ');
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const { rows } = await client.query<{ sessions: string }>(
      `SELECT coalesce(sum(sessions_started), 0)
          + coalesce(sum(sessions_active - sessions_started) FILTER (WHERE hour <= $2), 0) AS sessions
        FROM ${table} WHERE site = $1 AND hour > $2::timestamptz - interval '1 hour' AND hour < $3`,
      [site, timestamp(range.from), timestamp(range.to)],
    );
    const sessions = Number(rows[0]!.sessions);
    this.#remembered.set(key, sessions);
    return sessions;
  }
}
