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
  INSERT INTO event_usage AS known (merchant, month, site, events, hidden_from, hidden_events, dropped_events)
  SELECT merchant, month, site, events, hidden_from, hidden_events, dropped_events
  FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::bigint[], $9::bigint[])
    AS used (merchant, month, site, events, hidden_from, hidden_events, dropped_events)
  WHERE EXISTS (SELECT FROM flush)
  ON CONFLICT (merchant, month, site) DO UPDATE SET
    events = known.events + excluded.events,
    dropped_events = known.dropped_events + excluded.dropped_events,
    hidden_from = greatest(known.hidden_from, excluded.hidden_from),
    hidden_events = CASE
      WHEN excluded.hidden_from IS NULL OR excluded.hidden_from < known.hidden_from THEN known.hidden_events
      WHEN excluded.hidden_from = known.hidden_from THEN known.hidden_events + excluded.hidden_events
      ELSE excluded.hidden_events END`;

const TOTALS = `
  SELECT merchant, sum(events) AS events FROM event_usage
  WHERE month = $1 AND merchant = ANY($2) GROUP BY merchant`;

/** Hidden is what was counted since then: what was counted of an earlier time over the quota has been shown. */
const COLUMNS = `events, CASE WHEN hidden_from >= $3 THEN hidden_events ELSE 0 END AS hidden_events, dropped_events`;

const SITES = `
  SELECT site, ${COLUMNS} FROM event_usage
  WHERE merchant = $1 AND month = $2 AND site > $4 ORDER BY site LIMIT $5`;

const TOTAL = `
  SELECT sum(events) AS events, sum(hidden_events) AS hidden_events, sum(dropped_events) AS dropped_events
  FROM (SELECT ${COLUMNS} FROM event_usage WHERE merchant = $1 AND month = $2) AS sites`;

/** Of a process that is silent for so long, no flush is sent again. */
const FORGET = `DELETE FROM usage_flushes WHERE flushed_at < now() - interval '7 days'`;

export interface Flush {
  /** A UUID of the process, another after each start. */
  readonly node: string;
  /** Rising. */
  readonly number: number;
  readonly usages: readonly SiteUsage[];
}

export interface Used {
  readonly events: number;
  /** Of them. */
  readonly hiddenEvents: number;
  /** Beyond them. */
  readonly droppedEvents: number;
}

export interface UsedOf {
  readonly merchant: string;
  readonly month: Month;
  /** Epoch milliseconds; null: nothing is. */
  readonly hiddenFrom: number | null;
}

export interface SitesPage extends UsedOf {
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
      usages.map(({ hiddenFrom }) => (hiddenFrom === 0 ? null : timeOf(hiddenFrom))),
      usages.map(({ hiddenEvents }) => hiddenEvents),
      usages.map(({ droppedEvents }) => droppedEvents),
    ]);
  }

  /** By merchant; those without events are missing. */
  async totals(month: Month, merchants: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.pool.query<{ merchant: string; events: string }>(TOTALS, [month, merchants]);
    return new Map(rows.map(({ merchant, events }) => [merchant, Number(events)]));
  }

  /** Ordered by site. */
  async sites({ after, limit, ...of }: SitesPage): Promise<readonly ({ readonly site: string } & Used)[]> {
    const { rows } = await this.pool.query<UsedRow & { site: string }>(SITES, [
      ...valuesOf(of),
      after,
      limit,
    ]);
    return rows.map(({ site, ...row }) => ({ site, ...usedOf(row) }));
  }

  /** Of all sites together. */
  async total(of: UsedOf): Promise<Used> {
    const { rows } = await this.pool.query<UsedRow>(TOTAL, [...valuesOf(of)]);
    return usedOf(rows[0]!);
  }

  async forgetOldFlushes(): Promise<void> {
    await this.pool.query(FORGET);
  }
}

type UsedRow = Readonly<Record<'events' | 'hidden_events' | 'dropped_events', string | null>>;

const usedOf = ({ events, hidden_events, dropped_events }: UsedRow): Used => ({
  events: Number(events),
  hiddenEvents: Number(hidden_events),
  droppedEvents: Number(dropped_events),
});

const valuesOf = ({ merchant, month, hiddenFrom }: UsedOf): readonly unknown[] => [
  ...[merchant, month],
  hiddenFrom === null ? 'infinity' : timeOf(hiddenFrom),
];

const timeOf = (epochMs: number): string => new Date(epochMs).toISOString();
