// A query that knows everything it needs: defaults filled in, the date range resolved to instants,
// `time` given its granularity, buckets cut. Two requests that mean the same at the same moment
// become the same query, which is what the cache is keyed by and what the answer echoes.
import type { WeekStart } from '../../../events/site.events.js';
import { Problem } from '../../../http/problem.js';
import type { Excess } from '../../auth/quotas/excess.js';
import { incompleteIn } from '../incomplete.js';
import { remembered } from '../remembered.js';
import { tooCostly } from './cost.js';
import { refuseImpossible } from './impossible.js';
import { comparedRange } from './comparison.js';
import {
  type DateRangeForm,
  localTimestamp,
  type Range,
  type RangeContext,
  resolveDateRange,
  withoutFuture,
} from './date-range.js';
import { type Dimension, isAboutBots, isTimeDimension } from '../vocabulary/dimensions.js';
import { everyComparisonOf, type Filter, filterToWire, type WireFilter } from './filters.js';
import type { Goal } from '../vocabulary/goal.js';
import type { Metric } from '../vocabulary/metrics.js';
import type { ReportRequest } from './report-request.js';
import { cutIntoBuckets, granularityFor, type TimeBuckets } from './time-buckets.js';

export type Direction = 'asc' | 'desc';
export type Order = readonly [Metric | Dimension, Direction];

export interface ReportQuery {
  readonly site: string;
  readonly zone: string;
  readonly metrics: readonly Metric[];
  readonly range: Range;
  readonly dimensions: readonly Dimension[];
  readonly filters: readonly Filter[];
  readonly orderBy: readonly Order[];
  readonly include: {
    readonly timeLabels: boolean;
    readonly totalRows: boolean;
    readonly bots: boolean;
    readonly totals: boolean;
    readonly fill: boolean;
  };
  readonly weekStart: WeekStart;
  readonly pagination: { readonly limit: number; readonly offset: number };
  /** One unlabelled bucket, the whole range, unless there is a time dimension. */
  readonly buckets: TimeBuckets;
  /** The site's, where the query asks about goals at all; in the order in which they were made. */
  readonly goals: readonly Goal[];
  /** What the same question is asked about besides; null: nothing. */
  readonly compared: Compared | null;
  /** Times over the quota that this or what it is compared with touches. */
  readonly incomplete?: readonly Excess[];
}

export interface Compared {
  readonly range: Range;
  readonly buckets: TimeBuckets;
}

export interface QueryContext extends RangeContext {
  /** All that the site has. */
  readonly goals?: readonly Goal[];
  /** The site's; Monday, unless said otherwise. */
  readonly weekStart?: WeekStart;
  /** Of the site's merchant. */
  readonly excesses?: readonly Excess[];
}

/** What the answer's `query` shows: a request that gives the same answer at any later time. */
export interface NormalisedQuery {
  readonly metrics: readonly Metric[];
  readonly date_range: readonly [string, string];
  readonly dimensions: readonly Dimension[];
  readonly filters: readonly WireFilter[];
  readonly order_by: readonly Order[];
  readonly include: {
    readonly time_labels: boolean;
    readonly total_rows: boolean;
    readonly bots: boolean;
    readonly totals: boolean;
    readonly fill: boolean;
    readonly compare?: readonly [string, string];
  };
  readonly week_start: WeekStart;
  readonly pagination: { readonly limit: number; readonly offset: number };
}

const refuse = (path: string, message: string): Problem =>
  Problem.badRequest(`${path}: ${message}`, [{ path, message }]);

/** @throws Problem 400 for ranges and orders that make no sense, 422 for too many time buckets. */
export function normaliseQuery(
  request: ReportRequest,
  site: { readonly id: string },
  context: QueryContext,
): ReportQuery {
  const range = rangeOf(request, context);
  const { zone } = context;
  const weekStart = request.week_start ?? context.weekStart ?? 'monday';
  const granularity = () => granularityFor(range, zone);
  const dimensions = request.dimensions.map((name): Dimension => (name === 'time' ? granularity() : name));
  const compared = comparedRangeOf(request, range, context);
  const cut = (asked: Range, path?: string) => bucketsOf({ dimensions, zone, weekStart, path }, asked);
  refuseImpossible(request, context.goals ?? []);
  const usesBots = dimensions.some(isAboutBots) || filtersBots(request.filters);
  return {
    site: site.id,
    zone,
    metrics: request.metrics,
    range,
    dimensions,
    filters: request.filters,
    orderBy: orderOf(request, dimensions),
    include: {
      timeLabels: checkedTimeLabels(request, dimensions),
      totalRows: request.include.total_rows,
      bots: request.include.bots || usesBots,
      totals: request.include.totals,
      fill: checkedFill(request, dimensions),
    },
    weekStart,
    pagination: request.pagination,
    buckets: cut(range),
    compared: compared && { range: compared, buckets: cut(compared, 'include.compare') },
    goals: asksAboutGoals(request) ? (context.goals ?? []) : [],
    ...incompleteOf(compared === null ? [range] : [range, compared], context),
  };
}

function incompleteOf(
  ranges: readonly Range[],
  { excesses = [] }: QueryContext,
): Pick<ReportQuery, 'incomplete'> {
  const incomplete = incompleteIn(excesses, ranges);
  return incomplete.length === 0 ? {} : { incomplete };
}

/** Engaged are the visits that reached a goal, too. */
function asksAboutGoals({ metrics, dimensions, filters }: ReportRequest): boolean {
  const names: readonly string[] = [
    ...metrics,
    ...dimensions,
    ...filters.flatMap(everyComparisonOf).map(({ dimension }) => dimension),
  ];
  return names.includes('event:goal') || names.includes('engaged_visits');
}

function rangeOf(request: ReportRequest, context: RangeContext): Range {
  const range = resolvedRange(request.date_range, context, 'date_range');
  return request.include.trim_relative_date_range ? withoutFuture(range, request.date_range, context) : range;
}

function resolvedRange(form: DateRangeForm, context: RangeContext, path: string): Range {
  const resolved = resolveDateRange(form, context);
  if (resolved.outcome === 'resolved') return resolved.range;
  throw refuse(resolved.path.replace('date_range', path), resolved.reason);
}

function comparedRangeOf(request: ReportRequest, range: Range, context: RangeContext): Range | null {
  const { compare, compare_match_day_of_week: matchDayOfWeek } = request.include;
  if (matchDayOfWeek && typeof compare !== 'string') {
    throw refuse('include.compare_match_day_of_week', 'needs include.compare to name a period');
  }
  if (compare === undefined) return null;
  if (typeof compare !== 'string') return resolvedRange(compare, context, 'include.compare');
  return comparedRange(range, compare, { form: request.date_range, zone: context.zone, matchDayOfWeek });
}

/** The same object for the same query: it is wanted several times for each answer. */
export const echoOf = remembered((query: ReportQuery): NormalisedQuery => {
  const { range, zone, include, compared } = query;
  return {
    metrics: query.metrics,
    date_range: timestampsOf(range, zone),
    dimensions: query.dimensions,
    filters: query.filters.map(filterToWire),
    order_by: query.orderBy,
    include: {
      time_labels: include.timeLabels,
      total_rows: include.totalRows,
      bots: include.bots,
      totals: include.totals,
      fill: include.fill,
      ...(compared !== null && { compare: timestampsOf(compared.range, zone) }),
    },
    week_start: query.weekStart,
    pagination: query.pagination,
  };
});

export const timestampsOf = ({ from, to }: Range, zone: string): readonly [string, string] => [
  localTimestamp(from, zone),
  localTimestamp(to, zone),
];

const filtersBots = (filters: readonly Filter[]): boolean =>
  filters.flatMap(everyComparisonOf).some(({ dimension }) => isAboutBots(dimension));

function orderOf(request: ReportRequest, dimensions: readonly Dimension[]): readonly Order[] {
  if (request.order_by === undefined) {
    const time = dimensions.find(isTimeDimension);
    const byMetric: Order = [request.metrics[0]!, 'desc'];
    return time === undefined ? [byMetric] : [[time, 'asc'], byMetric];
  }
  return request.order_by.map(([name, direction], index): Order => {
    const asked = name === 'time' ? dimensions.find(isTimeDimension) : name;
    const known = [...request.metrics, ...dimensions].find((one) => one === asked);
    if (known === undefined) {
      throw refuse(`order_by[${index}][0]`, `${name} is neither a metric nor a dimension of this query`);
    }
    return [known, direction];
  });
}

function checkedTimeLabels(request: ReportRequest, dimensions: readonly Dimension[]): boolean {
  if (request.include.time_labels && !dimensions.some(isTimeDimension)) {
    throw refuse('include.time_labels', 'needs a time dimension');
  }
  return request.include.time_labels;
}

function checkedFill(request: ReportRequest, dimensions: readonly Dimension[]): boolean {
  if (request.include.fill && !(dimensions.length === 1 && isTimeDimension(dimensions[0]!))) {
    throw refuse('include.fill', 'needs one time dimension and no other');
  }
  return request.include.fill;
}

interface Cutting {
  readonly dimensions: readonly Dimension[];
  readonly zone: string;
  readonly weekStart: WeekStart;
  /** Of the range; of the dimension where it is undefined. */
  readonly path: string | undefined;
}

function bucketsOf({ dimensions, zone, weekStart, path }: Cutting, range: Range): TimeBuckets {
  const time = dimensions.find(isTimeDimension);
  if (time === undefined) return { bounds: [range.from, range.to], labels: [] };
  const cut = cutIntoBuckets(time, range, { zone, weekStart });
  if (cut.outcome === 'cut') return cut.buckets;
  throw tooCostly(
    path ?? `dimensions[${dimensions.indexOf(time)}]`,
    `${time} over this range makes about ${cut.buckets} buckets: narrow the date range or take a coarser time dimension.`,
  );
}
