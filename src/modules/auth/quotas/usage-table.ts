// The months' events by site, in PostgreSQL. Each process adds what it counted, in numbered flushes: one whose answer
// was lost is sent again as it was, and counts once.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { SiteUsage } from './usage-tally.js';
import type { Month } from './usage-month.js';

const ADD = `
  WITH flush AS (
    INSERT INTO usage_flushes AS known (node, flush) VALUES ($1, $2)
    ON CONFLICT (node) DO UPDATE SET flush = excluded.flush, flushed_at = now() WHERE known.flush < excluded.flush
    RETURNING 1
  )
  INSERT INTO event_usage AS known (merchant, month, site, events)
  SELECT merchant, month, site, events
  FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) AS used (merchant, month, site, events)
  WHERE EXISTS (SELECT FROM flush)
  ON CONFLICT (merchant, month, site) DO UPDATE SET events = known.events + excluded.events`;

const TOTALS = `
  SELECT merchant, sum(events) AS events FROM event_usage
  WHERE month = $1 AND merchant = ANY($2) GROUP BY merchant`;

const SITES = `
  SELECT site, events FROM event_usage
  WHERE merchant = $1 AND month = $2 AND site > $3 ORDER BY site LIMIT $4`;

/** Of a process that is silent for so long, no flush is sent again. */
const FORGET = `DELETE FROM usage_flushes WHERE flushed_at < now() - interval '7 days'`;

export interface Flush {
  /** A UUID of the process, another after each start. */
  readonly node: string;
  /** Rising. */
  readonly number: number;
  readonly usages: readonly SiteUsage[];
}

export interface SitesPage {
  readonly merchant: string;
  readonly month: Month;
  /** Id of the last site of the page before. */
  readonly after: string;
  readonly limit: number;
}

@Injectable()
export class UsageTable {
  constructor(private readonly pool: Pool) {}

  async add({ node, number, usages }: Flush): Promise<void> {
    await this.pool.query(ADD, [
      node,
      number,
      usages.map(({ merchant }) => merchant),
      usages.map(({ month }) => month),
      usages.map(({ site }) => site),
      usages.map(({ events }) => events),
    ]);
  }

  /** By merchant; those without events are missing. */
  async totals(month: Month, merchants: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.pool.query<{ merchant: string; events: string }>(TOTALS, [month, merchants]);
    return new Map(rows.map(({ merchant, events }) => [merchant, Number(events)]));
  }

  /** Ordered by site. */
  async sites({
    merchant,
    month,
    after,
    limit,
  }: SitesPage): Promise<readonly { site: string; events: number }[]> {
    const { rows } = await this.pool.query<{ site: string; events: string }>(SITES, [
      ...[merchant, month, after, limit],
    ]);
    return rows.map(({ site, events }) => ({ site, events: Number(events) }));
  }

  async forgetOldFlushes(): Promise<void> {
    await this.pool.query(FORGET);
  }
}
