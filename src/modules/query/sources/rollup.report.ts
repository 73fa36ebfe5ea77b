// Answers from `traffic`: tens of rows whatever the site's size. Over a range of whole hours the
// visits are those active in the first hour plus those started in the later ones, because a session
// is one interval; visitors are unions of sketches, read in pieces so that memory stays bounded.
import type { ClientBase } from 'pg';
import { VisitorUnion } from '../../projections/read-models/visitor-union.js';
import { isTimeDimension } from '../vocabulary/dimensions.js';
import { NO_COUNTERS } from '../vocabulary/counters.js';
import type { Group, Groups } from '../report.js';
import type { ReportQuery } from '../request/report-query.js';
import { SqlParameters, timestamp } from '../facts/sql-parameters.js';
import { orderOfGroups } from './order-of-groups.js';

/** Standard error of an estimated count of visitors. */
export const ESTIMATE_ERROR = 0.008;
const SKETCH_HOURS_AT_ONCE = 256;
const HOUR_MS = 3_600_000;

export type RollupOutcome =
  | { readonly outcome: 'answered'; readonly groups: Groups; readonly visitorsEstimated: boolean }
  /** Some hours only estimate their visitors, and the range is small enough to count them one by one. */
  | { readonly outcome: 'sketches-inexact' };

type Row = Readonly<Record<string, string | number | null>>;

export async function groupsFromRollup(
  client: ClientBase,
  query: ReportQuery,
  { table, sessionsMax }: { readonly table: string; readonly sessionsMax: number },
): Promise<RollupOutcome> {
  const rows = await readCounters(client, query, table);
  const sessions = rows.reduce((sum, row) => sum + Number(row.sessions_started), 0);
  const visitors = query.metrics.includes('visitors')
    ? await readVisitors(client, query, { table, mayEstimate: sessions > sessionsMax })
    : new Map<number, VisitorUnion>();
  if (visitors === 'inexact') return { outcome: 'sketches-inexact' };
  const timed = query.dimensions.some(isTimeDimension);
  const groups = rows
    .map((row) => groupOf(row, visitors))
    .filter(({ counters }) => !timed || counters.visits > 0);
  groups.sort(orderOfGroups(query));
  const { limit, offset } = query.pagination;
  return {
    outcome: 'answered',
    groups: { groups: groups.slice(offset, offset + limit), totalRows: groups.length },
    visitorsEstimated: [...visitors.values()].some(({ exact }) => !exact),
  };
}

async function readCounters(client: ClientBase, query: ReportQuery, table: string): Promise<readonly Row[]> {
  const { site, range, buckets, include, dimensions } = query;
  const parameters = new SqlParameters();
  const bounds = parameters.add(buckets.bounds.map(timestamp), 'timestamptz[]');
  // Of each bucket's first hour the sessions active count, of its other hours those that started.
  const counted = (of: string) =>
    `coalesce(sum(CASE WHEN hour = (${bounds})[bucket] THEN ${of}_active ELSE ${of}_started END), 0)`;
  const { rows } = await client.query<Row>(
    `SELECT ${dimensions.some(isTimeDimension) ? 'bucket' : '1 AS bucket'},
        coalesce(sum(pageviews), 0) AS pageviews, coalesce(sum(events), 0) AS events,
        coalesce(sum(sessions_started), 0) AS sessions_started, ${counted('sessions')} AS visits,
        ${counted('bounces')} AS bounces,
        coalesce(sum(CASE WHEN hour = (${bounds})[bucket] THEN duration_active_ms ELSE duration_started_ms END), 0)
          AS duration_ms
      FROM (SELECT *, width_bucket(hour, ${bounds}) AS bucket FROM ${table}
            WHERE site = ${parameters.add(site, 'text')}
              AND hour >= ${parameters.add(timestamp(range.from), 'timestamptz')}
              AND hour < ${parameters.add(timestamp(range.to), 'timestamptz')}
              ${include.bots ? '' : 'AND NOT bot'}) AS hours
      ${dimensions.some(isTimeDimension) ? 'GROUP BY bucket' : ''}`,
    parameters.values,
  );
  return rows;
}

/** By bucket, counted from 1. */
async function readVisitors(
  client: ClientBase,
  query: ReportQuery,
  options: { readonly table: string; readonly mayEstimate: boolean },
): Promise<Map<number, VisitorUnion> | 'inexact'> {
  const { site, range, buckets, include } = query;
  const merged = new Map<number, VisitorUnion>();
  for (let from = range.from; from < range.to; from += SKETCH_HOURS_AT_ONCE * HOUR_MS) {
    const to = Math.min(from + SKETCH_HOURS_AT_ONCE * HOUR_MS, range.to);
    const { rows } = await client.query<{ bucket: number; visitors: Buffer }>(
      `SELECT width_bucket(hour, $1::timestamptz[]) AS bucket, visitors FROM ${options.table}
        WHERE site = $2 AND hour >= $3 AND hour < $4 ${include.bots ? '' : 'AND NOT bot'}`,
      [buckets.bounds.map(timestamp), site, timestamp(from), timestamp(to)],
    );
    for (const { bucket, visitors } of rows) {
      let union = merged.get(bucket);
      if (union === undefined) merged.set(bucket, (union = new VisitorUnion()));
      union.add(visitors);
      if (!union.exact && !options.mayEstimate) return 'inexact';
    }
  }
  return merged;
}

function groupOf(row: Row, visitors: ReadonlyMap<number, VisitorUnion>): Group {
  const bucket = Number(row.bucket);
  const visits = Number(row.visits);
  const union = visitors.get(bucket);
  return {
    bucket: bucket - 1,
    values: [],
    counters: {
      ...NO_COUNTERS,
      visitors: union === undefined ? 0 : union.count(),
      visits,
      pageviews: Number(row.pageviews),
      events: Number(row.events),
      bounceSessions: visits,
      bounces: Number(row.bounces),
      durationSessions: visits,
      durationMs: Number(row.duration_ms),
    },
  };
}
