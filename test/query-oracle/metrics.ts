// One group's metrics from what fell into the group, each by its definition. Sums and ratios are of whole
// numbers, so that nothing is rounded but what is answered.
import type { Group, Placed } from './gather.js';
import { reaches } from './values.js';
import type { Goal } from '../../src/modules/query/vocabulary/goal.js';
import type { Visit } from './visits.js';

export interface Money {
  readonly value: number;
  readonly currency: string;
}
export type MetricValue = number | Money | null;

export interface Measured {
  readonly group: Group;
  /** Whose bounces count, whose durations. */
  readonly bounceVisits: ReadonlySet<Visit>;
  readonly durationVisits: ReadonlySet<Visit>;
  /** Of the whole query without its dimensions; the same without goals and properties; of the row without them. */
  readonly allVisitors: () => number;
  readonly convertible: () => number;
  readonly convertibleHere: () => number;
  readonly goals: readonly Goal[];
  readonly firstVisitOf: (visitor: string) => Visit;
}

const METRICS: Readonly<Record<string, (measured: Measured) => MetricValue>> = {
  visitors: ({ group }) => group.visitors.size,
  visits: ({ group }) => group.touched.size,
  pageviews: ({ group }) => pageviews(group.hits),
  events: ({ group }) => group.hits.length,
  views_per_visit: ({ group }) => ratio(pageviews(group.hits) * 100, group.touched.size, 100) ?? 0,
  bounce_rate: ({ bounceVisits }) =>
    ratio([...bounceVisits].filter(({ bounced }) => bounced).length * 100, bounceVisits.size) ?? 0,
  visit_duration: ({ durationVisits }) =>
    ratio(total([...durationVisits], durationOf), durationVisits.size * 1000) ?? 0,
  visit_duration_ms: ({ durationVisits }) =>
    ratio(total([...durationVisits], durationOf), durationVisits.size) ?? 0,
  percentage: ({ group, allVisitors }) => ratio(group.visitors.size * 10_000, allVisitors(), 100),
  conversion_rate: ({ group, convertible }) => ratio(group.visitors.size * 10_000, convertible(), 100) ?? 0,
  group_conversion_rate: ({ group, convertibleHere }) =>
    ratio(group.visitors.size * 10_000, convertibleHere(), 100) ?? 0,
  scroll_depth: ({ group }) => scrollDepth(group.attention),
  time_on_page: ({ group }) => {
    const engaged = group.attention.filter(({ hit }) => hit.engagementMs !== null);
    const visits = new Set(engaged.map(({ visit }) => visit));
    return ratio(
      total(engaged, ({ hit }) => hit.engagementMs!),
      visits.size * 1000,
    );
  },
  engagement_time: ({ group }) =>
    ratio(
      total(group.attention, ({ hit }) => hit.engagementMs ?? 0),
      1000,
    ),
  engaged_visits: ({ group, goals }) => [...group.touched].filter((visit) => isEngaged(visit, goals)).length,
  new_visitors: ({ group, firstVisitOf }) =>
    [...group.visitors].filter(([visitor, visits]) => visits.has(firstVisitOf(visitor))).length,
  total_revenue: ({ group }) => money(group.paid, () => 1),
  average_revenue: ({ group }) => money(group.paid, (count) => count),
};

export const isKnownMetric = (name: string): boolean => Object.hasOwn(METRICS, name);
export const metricValue = (name: string, measured: Measured): MetricValue => METRICS[name]!(measured);

const durationOf = ({ startedAt, endedAt }: Visit): number => endedAt - startedAt;
const pageviews = (placed: readonly Placed[]): number =>
  placed.filter(({ hit }) => hit.name === 'pageview').length;
const total = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

function scrollDepth(attention: readonly Placed[]): number | null {
  const deepest = new Map<Visit, number>();
  for (const { visit, hit } of attention) {
    if (hit.scrollDepth !== null) deepest.set(visit, Math.max(hit.scrollDepth, deepest.get(visit) ?? 0));
  }
  return ratio(
    total([...deepest.values()], (depth) => depth),
    deepest.size,
  );
}

const isEngaged = (visit: Visit, goals: readonly Goal[]): boolean =>
  durationOf(visit) > 10_000 ||
  pageviews(visit.hits.map((hit) => ({ visit, hit }))) >= 2 ||
  visit.hits.some(
    (hit) =>
      !hit.engagement &&
      hit.name !== 'pageview' &&
      hit.interactive &&
      goals.some((goal) => reaches(hit, goal)),
  );

function money(paid: readonly Placed[], divisorOf: (count: number) => number): Money | null {
  const currencies = new Set(paid.map(({ hit }) => hit.currency!));
  if (currencies.size !== 1) return null;
  const micros = paid.reduce((sum, { hit }) => sum + hit.micros!, 0n);
  const divisor = BigInt(divisorOf(paid.length)) * 1000n;
  return { value: Number(nearest(micros, divisor)) / 1000, currency: [...currencies][0]! };
}

/** Ties to even. */
export function nearest(dividend: bigint, divisor: bigint): bigint {
  const floor = (dividend - (((dividend % divisor) + divisor) % divisor)) / divisor;
  const twice = 2n * (dividend - floor * divisor);
  return twice > divisor || (twice === divisor && floor % 2n !== 0n) ? floor + 1n : floor;
}

/** Rounded to a whole number, then divided by `scale`; null: a share of nothing. */
function ratio(dividend: number, divisor: number, scale = 1): number | null {
  return divisor === 0 ? null : Number(nearest(BigInt(dividend), BigInt(divisor))) / scale;
}
