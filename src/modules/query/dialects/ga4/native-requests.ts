// The native requests behind a report: for each date range the numbers themselves, those of the goals,
// and both again without dimensions where totals are asked for. Where the facts can order and page as
// GA4 would, they do; else all rows are fetched, ordered and paged here. Pure.
import { NATIVE_TIME } from './time-dimensions.js';
import type { RequestedOrder } from './ga4-request.js';
import type { Plan } from './plan.js';
import type { PlannedRange } from './ranges.js';
import { metricMeaning } from './metric-vocabulary.js';

/** What a row has where nothing is asked of it but to be there. */
const PRESENCE = 'visitors';
/** Never 0 in a row that there is. */
const PRESENT: readonly string[] = [PRESENCE, 'visits', 'events'];
/** Every goal of the site. */
const REACHES_A_GOAL = ['contains', 'event:goal', ['']] as const;

export type NativeRequest = Readonly<Record<string, unknown>>;

/** Of the rows of a report, be it longer than a page of a query may be. */
export interface NativePage {
  readonly limit: number;
  readonly offset: number;
}

/** The numbers of a range. */
export function mainRequest(plan: Plan, range: PlannedRange, page: NativePage): NativeRequest {
  const natives = plan.natives.filter(({ ofGoals }) => !ofGoals).map(({ native }) => native);
  const metrics = natives.length === 0 ? [PRESENCE] : natives;
  return { ...framed(plan, range), metrics, ...ordered(plan, metrics), pagination: page };
}

/** The numbers of the events that reach one of the goals; null where none are asked for. */
export function goalsRequest(plan: Plan, range: PlannedRange, page: NativePage): NativeRequest | null {
  const metrics = plan.natives.filter(({ ofGoals }) => ofGoals).map(({ native }) => native);
  if (metrics.length === 0) return null;
  return {
    ...framed(plan, range),
    metrics,
    filters: [...plan.filters, REACHES_A_GOAL],
    pagination: page,
  };
}

export const withoutDimensions = (plan: Plan): Plan => ({
  ...plan,
  columns: { granule: null, values: [] },
  order: [],
});

function framed({ columns, filters }: Plan, { native }: PlannedRange): NativeRequest {
  const time = columns.granule === null ? null : NATIVE_TIME[columns.granule];
  return {
    date_range: native,
    dimensions: [...(time === null ? [] : [time.dimension]), ...columns.values],
    filters,
    include: { total_rows: true },
    ...(time?.weekStart !== undefined && { week_start: time.weekStart }),
  };
}

function ordered(plan: Plan, metrics: readonly string[]): NativeRequest {
  const order = nativeOrder(plan);
  return order === null || order.length === 0 ? { order_by: [[metrics[0]!, 'desc']] } : { order_by: order };
}

/** The page to ask for where the facts order and page as GA4 would; null: all rows are needed. */
export function nativePage(plan: Plan): NativePage | null {
  const { ranges, passes, natives, columns, aggregations, keepEmptyRows } = plan;
  const onlyRows = ranges.length === 1 && passes === null && columns.values.length > 0;
  const known = natives.filter(({ ofGoals }) => !ofGoals).map(({ native }) => native);
  const allAtHand = known.length === natives.length;
  const noneDropped =
    keepEmptyRows || natives.length === 0 || PRESENT.some((native) => known.includes(native));
  const noExtremes = !aggregations.has('MINIMUM') && !aggregations.has('MAXIMUM');
  const oneToOne = [...plan.readers.values()].every(({ native }) => native !== null);
  if (!(onlyRows && allAtHand && noneDropped && noExtremes && oneToOne)) return null;
  if (nativeOrder(plan) === null) return null;
  return { limit: plan.limit, offset: plan.offset };
}

type NativeOrder = readonly [string, 'asc' | 'desc'];

/** GA4's order in native terms; null: it has none there. */
function nativeOrder(plan: Plan): readonly NativeOrder[] | null {
  if (plan.order.length === 0) return defaultOrder(plan);
  const order: NativeOrder[] = [];
  for (const one of plan.order) {
    const native = nativeOfOrder(plan, one);
    if (native === null) return null;
    if (!order.some(([known]) => known === native)) order.push([native, one.desc ? 'desc' : 'asc']);
  }
  return order;
}

/** The first metric, largest first; without metrics, the dimensions. */
function defaultOrder(plan: Plan): readonly NativeOrder[] | null {
  const [first] = plan.metrics;
  const natives =
    first === undefined
      ? [...plan.readers.values()].map(({ native }) => native)
      : [nativeOfMetric(plan, first.name)];
  if (natives.includes(null)) return null;
  return natives.map((native) => [native!, first === undefined ? 'asc' : 'desc']);
}

function nativeOfOrder(plan: Plan, { metric, dimension }: RequestedOrder): string | null {
  if (metric !== undefined) return nativeOfMetric(plan, metric.metricName);
  const { dimensionName, orderType } = dimension!;
  if (orderType === 'NUMERIC' || orderType === 'CASE_INSENSITIVE_ALPHANUMERIC') return null;
  return plan.readers.get(dimensionName)?.native ?? null;
}

function nativeOfMetric(plan: Plan, name: string): string | null {
  const { expression } = plan.metrics.find((metric) => metric.name === name)!;
  if (expression.kind !== 'name' || expression.name !== name) return null;
  const entry = metricMeaning(name);
  return entry?.kind === 'native' && !entry.ofGoals ? entry.native : null;
}
