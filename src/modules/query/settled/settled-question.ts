// What of a query settled days can answer: no filters, whole days of the site's zone, at most one of the
// dimensions that are settled, counters that add up over days or whose parts do. Pure.
import type { FactsQuery } from '../facts/facts-query.js';
import { localDateOf, type Range, startOfDay } from '../request/date-range.js';
import { cutIntoBuckets } from '../request/time-buckets.js';
import type { Counter } from '../vocabulary/counters.js';
import { isTimeDimension, type ValueDimension } from '../vocabulary/dimensions.js';
import { countersOf } from '../vocabulary/metrics.js';

/** Those that dashboards break down by. Names of regions and cities are not told apart from their codes. */
export const SETTLED_DIMENSIONS = [
  'event:page',
  'event:hostname',
  'event:name',
  'visit:source',
  'visit:channel',
  'visit:referrer',
  'visit:utm_source',
  'visit:utm_medium',
  'visit:utm_campaign',
  'visit:entry_page',
  'visit:exit_page',
  'visit:browser',
  'visit:os',
  'visit:device',
  'visit:screen',
  'visit:language',
  'visit:country',
  'visit:region',
  'visit:city',
] as const satisfies readonly ValueDimension[];
export type SettledDimension = (typeof SETTLED_DIMENSIONS)[number];

const SETTLED_COUNTERS: ReadonlySet<Counter> = new Set<Counter>([
  'visitors',
  'allVisitors',
  'visits',
  'pageviews',
  'events',
  'bounceSessions',
  'bounces',
  'durationSessions',
  'durationMs',
  'engagementMs',
  'revenueMicros',
  'revenueEvents',
  'firstCurrency',
  'lastCurrency',
]);

const DAY_MS = 24 * 3_600_000;
/** Three years: to find where days begin takes time, too. */
export const DAYS_MAX = 1_100;

export interface SettledQuestion {
  readonly dimension: SettledDimension | null;
  readonly days: readonly Range[];
  /** Of each day: its bucket, from 0. */
  readonly buckets: readonly number[];
  /** Every bucket is one day: nothing has to be put together. */
  readonly single: boolean;
}

/** Null: only rollup and facts can tell. */
export function settledQuestion(query: FactsQuery): SettledQuestion | null {
  const { metrics, filters, include, dimensions, range, zone, buckets } = query;
  if (filters.length > 0 || include.bots) return null;
  if (![...countersOf(metrics)].every((counter) => SETTLED_COUNTERS.has(counter))) return null;
  const [dimension = null, ...more] = dimensions.filter((one) => !isTimeDimension(one));
  if (more.length > 0 || (dimension !== null && !isSettled(dimension))) return null;
  const days = dimensions.includes('time:day') ? daysBetween(buckets.bounds, zone) : wholeDaysOf(range, zone);
  if (days === null) return null;
  const starts = new Set(days.map(({ from }) => from));
  if (!buckets.bounds.slice(0, -1).every((bound) => starts.has(bound))) return null;
  const single = buckets.bounds.length - 1 === days.length;
  return { dimension, days, buckets: bucketsOf(days, buckets.bounds), single };
}

/** The days of the zone that make the range up; null where it begins or ends within one, or is too long. */
export function wholeDaysOf(range: Range, zone: string): readonly Range[] | null {
  if (range.to - range.from > DAYS_MAX * DAY_MS) return null;
  const cut = cutIntoBuckets('time:day', range, { zone });
  return cut.outcome === 'cut' ? daysBetween(cut.buckets.bounds, zone) : null;
}

/** Where all but the first and the last are known to be where days begin. */
function daysBetween(bounds: readonly number[], zone: string): readonly Range[] | null {
  const begins = (at: number) => startOfDay(localDateOf(at, zone), zone) === at;
  if (bounds.length - 1 > DAYS_MAX || !begins(bounds[0]!) || !begins(bounds.at(-1)!)) return null;
  return bounds.slice(1).map((to, index) => ({ from: bounds[index]!, to }));
}

function bucketsOf(days: readonly Range[], bounds: readonly number[]): readonly number[] {
  let bucket = 0;
  return days.map(({ from }) => {
    while (bounds[bucket + 1]! <= from) bucket++;
    return bucket;
  });
}

const isSettled = (dimension: string): dimension is SettledDimension =>
  (SETTLED_DIMENSIONS as readonly string[]).includes(dimension);
