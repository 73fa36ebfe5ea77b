// A query that knows everything it needs: defaults filled in, the date range resolved to instants,
// `time` given its granularity, buckets cut. Two requests that mean the same at the same moment
// become the same query, which is what the cache is keyed by and what the answer echoes.
import { Problem } from '../../http/problem.js';
import { tooCostly } from './cost.js';
import { localTimestamp, type Range, type RangeContext, resolveDateRange } from './date-range.js';
import { type Dimension, isTimeDimension } from './dimensions.js';
import { comparisonsOf, type Filter, filterToWire, type WireFilter } from './filters.js';
import type { Metric } from './metrics.js';
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
  readonly include: { readonly timeLabels: boolean; readonly totalRows: boolean; readonly bots: boolean };
  readonly pagination: { readonly limit: number; readonly offset: number };
  /** One unlabelled bucket, the whole range, unless there is a time dimension. */
  readonly buckets: TimeBuckets;
}

/** What the answer's `query` shows: a request that gives the same answer at any later time. */
export interface NormalisedQuery {
  readonly metrics: readonly Metric[];
  readonly date_range: readonly [string, string];
  readonly dimensions: readonly Dimension[];
  readonly filters: readonly WireFilter[];
  readonly order_by: readonly Order[];
  readonly include: { readonly time_labels: boolean; readonly total_rows: boolean; readonly bots: boolean };
  readonly pagination: { readonly limit: number; readonly offset: number };
}

const refuse = (path: string, message: string): Problem =>
  Problem.badRequest(`${path}: ${message}`, [{ path, message }]);

/** @throws Problem 400 for ranges and orders that make no sense, 422 for too many time buckets. */
export function normaliseQuery(
  request: ReportRequest,
  site: { readonly id: string },
  context: RangeContext,
): ReportQuery {
  const resolved = resolveDateRange(request.date_range, context);
  if (resolved.outcome === 'refused') throw refuse(resolved.path, resolved.reason);
  const { range } = resolved;
  const { zone } = context;
  const granularity = () => granularityFor(range, zone);
  const dimensions = request.dimensions.map((name): Dimension => (name === 'time' ? granularity() : name));
  const usesBots = dimensions.includes('visit:bot') || filtersBots(request.filters);
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
    },
    pagination: request.pagination,
    buckets: bucketsOf(dimensions, range, zone),
  };
}

export function echoOf(query: ReportQuery): NormalisedQuery {
  const { range, zone, include } = query;
  return {
    metrics: query.metrics,
    date_range: [localTimestamp(range.from, zone), localTimestamp(range.to, zone)],
    dimensions: query.dimensions,
    filters: query.filters.map(filterToWire),
    order_by: query.orderBy,
    include: { time_labels: include.timeLabels, total_rows: include.totalRows, bots: include.bots },
    pagination: query.pagination,
  };
}

const filtersBots = (filters: readonly Filter[]): boolean =>
  filters.flatMap(comparisonsOf).some(({ dimension }) => dimension === 'visit:bot');

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

function bucketsOf(dimensions: readonly Dimension[], range: Range, zone: string): TimeBuckets {
  const time = dimensions.find(isTimeDimension);
  if (time === undefined) return { bounds: [range.from, range.to], labels: [] };
  const cut = cutIntoBuckets(time, range, zone);
  if (cut.outcome === 'cut') return cut.buckets;
  throw tooCostly(
    `dimensions[${dimensions.indexOf(time)}]`,
    `${time} over this range makes about ${cut.buckets} buckets: narrow the date range or take a coarser time dimension.`,
  );
}
