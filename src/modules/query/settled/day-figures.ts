// What the facts say of days, one by one, so that it can be added up again: for each day and value the
// counters, the visitors' ids, and how much of it sessions count that counted on the day before already.
// Computed once where a day is settled, and at every question of days that are not.
import type { ClientBase } from 'pg';
import type { Excess } from '../../auth/quotas/excess.js';
import type { FactsQuery, ToAddUp } from '../facts/facts-query.js';
import { factsStatement } from '../facts/facts-sql.js';
import { type FactsRow, groupOf } from '../facts/facts.report.js';
import { type Group } from '../report.js';
import { localDateOf, type Range, startOfDay } from '../request/date-range.js';
import { timestamp } from '../facts/sql-parameters.js';
import { SESSION_DURATION_MAX_MS } from '../../projections/read-models/sessions.read-model.js';
import { type Dimension, isEventDimension } from '../vocabulary/dimensions.js';
import type { Counters } from '../vocabulary/counters.js';
import type { Metric } from '../vocabulary/metrics.js';
import type { SettledDimension } from './settled-question.js';

/** Counters of whole sessions: over several days a session counts once. */
export const OF_SESSIONS = [
  'visits',
  'bounceSessions',
  'bounces',
  'durationSessions',
  'durationMs',
] as const satisfies readonly (keyof Counters)[];
export type OfSessions = Readonly<Record<(typeof OF_SESSIONS)[number], number>>;
export const NO_SESSIONS: OfSessions = {
  visits: 0,
  bounceSessions: 0,
  bounces: 0,
  durationSessions: 0,
  durationMs: 0,
};
/** Counters that are sums over events: those of several days are the sum of the days'. */
export const OF_EVENTS = [
  'pageviews',
  'events',
  'engagementMs',
  'revenueEvents',
] as const satisfies readonly (keyof Counters)[];

export interface DayFigures {
  /** Place among the days asked about. */
  readonly day: number;
  /** Empty without a dimension. */
  readonly value: string;
  readonly counters: Counters;
  /** 8 bytes for each visitor. */
  readonly ids: Buffer;
}

export interface FiguresAsked {
  readonly site: string;
  readonly zone: string;
  /** One after the other, without a gap. */
  readonly days: readonly Range[];
  readonly dimension: SettledDimension | null;
  readonly keptValues: readonly string[] | null;
  /** Of the facts, or a copy of some of them. */
  readonly table: string;
  /** Absent: nothing is left out, as where days are settled. */
  readonly incomplete?: readonly Excess[];
}

const FIGURES: readonly Metric[] = [
  'visits',
  'visitors',
  'pageviews',
  'events',
  'bounce_rate',
  'visit_duration',
  'engagement_time',
  'total_revenue',
];
const FIGURES_OF_SESSIONS: readonly Metric[] = ['visits', 'bounce_rate', 'visit_duration'];
const ALL_ROWS = 1_000_000_000;

/** Largest first. */
export async function figuresOf(
  client: ClientBase,
  asked: FiguresAsked,
  limit = ALL_ROWS,
): Promise<readonly DayFigures[]> {
  const query = queryOf(asked, { metrics: FIGURES, byDay: true, limit });
  const rows = await rowsOf(client, query, asked.table);
  return rows.map(({ group, ids }) => ({
    day: group.bucket,
    value: group.values[0] ?? '',
    counters: group.counters,
    ids,
  }));
}

/**
 * By value: what the sessions count on the day that counted on the day before, too. Taken from a range of both
 * days, they are to be subtracted once.
 */
export async function continuedOf(
  client: ClientBase,
  asked: Omit<FiguresAsked, 'days'> & { readonly day: Range },
): Promise<ReadonlyMap<string, OfSessions>> {
  const { day, dimension, table } = asked;
  const before = dayBefore(day, asked.zone);
  const of = (days: readonly Range[], byDay: boolean): Promise<readonly FiguresRow[]> =>
    rowsOf(
      client,
      {
        ...queryOf({ ...asked, days }, { metrics: FIGURES_OF_SESSIONS, byDay, limit: ALL_ROWS }),
        underWayAt: day.from,
      },
      table,
    );
  // A session has one value of its own, on both days.
  if (dimension === null || !isEventDimension(dimension)) return summed(await of([day], true), []);
  // Of events it may have one on the first day and another on the second: both = first + second − either.
  return summed(await of([before, day], true), await of([before, day], false));
}

/**
 * Whether a session reaches from before the day before into the day. It may have one page on its first and
 * its third day, which no two days tell.
 */
export async function hasLongSessions(
  client: ClientBase,
  {
    site,
    zone,
    day,
    table,
  }: { readonly site: string; readonly zone: string; readonly day: Range; readonly table: string },
): Promise<boolean> {
  const { from } = dayBefore(day, zone);
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM ${table} WHERE site = $1 AND started_at < $2 AND started_at >= $3
      AND ended_at >= $4 AND NOT bot) AS there`,
    [site, ...[from, from - SESSION_DURATION_MAX_MS, day.from].map(timestamp)],
  );
  return rows[0]!.there;
}

const dayBefore = ({ from }: Range, zone: string): Range => ({
  from: startOfDay(localDateOf(from - 1, zone), zone),
  to: from,
});

interface FiguresRow {
  readonly group: Group;
  readonly ids: Buffer;
}

const NO_IDS = Buffer.alloc(0);

async function rowsOf(client: ClientBase, query: FactsQuery, table: string): Promise<readonly FiguresRow[]> {
  const { text, values } = factsStatement(query, table);
  const { rows } = await client.query<FactsRow & { visitor_ids?: Buffer | null }>(text, [...values]);
  return rows.map(({ visitor_ids: ids, ...row }) => ({
    group: groupOf(query, row as FactsRow),
    ids: ids ?? NO_IDS,
  }));
}

interface QueryForm {
  readonly metrics: readonly Metric[];
  readonly byDay: boolean;
  readonly limit: number;
}

function queryOf(
  { site, zone, days, dimension, keptValues, incomplete }: FiguresAsked,
  { metrics, byDay, limit }: QueryForm,
): FactsQuery {
  const range = { from: days[0]!.from, to: days.at(-1)!.to };
  const dimensions: Dimension[] = [
    ...(dimension === null ? [] : [dimension]),
    ...(byDay ? (['time:day'] as const) : []),
  ];
  const toAddUp: ToAddUp = { keptValues };
  return {
    site,
    zone,
    metrics,
    range,
    dimensions,
    filters: [],
    orderBy: [['visits', 'desc']],
    include: { timeLabels: false, totalRows: false, bots: false, totals: false, fill: false },
    weekStart: 'monday',
    pagination: { limit, offset: 0 },
    buckets: {
      bounds: byDay ? [...days.map(({ from }) => from), range.to] : [range.from, range.to],
      labels: [],
    },
    goals: [],
    compared: null,
    ...(incomplete && { incomplete }),
    toAddUp,
  };
}

function summed(
  added: readonly FiguresRow[],
  subtracted: readonly FiguresRow[],
): ReadonlyMap<string, OfSessions> {
  const sums = new Map<string, Record<keyof OfSessions, number>>();
  const add = (rows: readonly FiguresRow[], sign: 1 | -1) => {
    for (const { group } of rows) {
      const value = group.values[0] ?? '';
      const sum = sums.get(value) ?? { ...NO_SESSIONS };
      for (const counter of OF_SESSIONS) sum[counter] += sign * group.counters[counter];
      sums.set(value, sum);
    }
  };
  add(added, 1);
  add(subtracted, -1);
  return sums;
}
