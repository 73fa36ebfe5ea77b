// Plausible's Stats API v1: query parameters → native query, report → its answers. A timeseries has
// every bucket of its range, so what is missing in the report is written here as the vendor does.
import { z } from 'zod';
import { localDateOf } from '../../request/date-range.js';
import { parsedBy } from '../../request/parsed-by.js';
import {
  type AnsweredMeta,
  type Translate,
  type TranslationContext,
  type Value,
  warningOf,
} from './translation.js';
import { readFilters } from './v1-filters.js';
import { dateRangeOf, type Period, PERIODS } from './v1-periods.js';

/** Metric → its value in a bucket where nothing happened. */
const EMPTY = {
  visitors: 0,
  visits: 0,
  pageviews: 0,
  views_per_visit: 0,
  bounce_rate: 0,
  visit_duration: null,
  events: 0,
  conversion_rate: 0,
  time_on_page: null,
} as const;
type Metric = keyof typeof EMPTY;
export const V1_METRICS = Object.keys(EMPTY) as Metric[];

export interface AggregatedValue {
  readonly value: Value;
  readonly change?: number | null;
  readonly comparison_value?: Value;
}

interface Results<T> {
  readonly results: T;
  /** Where numbers are estimates. */
  readonly warning?: string;
}

export const LIMIT_MAX = 1_000;
const LIMIT_DEFAULT = 100;
const PAGE_MAX = 1_000_000;
const REALTIME_MS = 5 * 60_000;
const SECOND_MS = 1_000;

const asked = z.object({
  period: z.enum(PERIODS).default('30d'),
  date: z.string().optional(),
  metrics: z
    .string()
    .default('visitors')
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(
      z
        .array(z.enum(V1_METRICS))
        .refine((metrics) => new Set(metrics).size === metrics.length, 'must not name a metric twice'),
    ),
  filters: z.string().default(''),
});
type Asked = z.output<typeof asked>;

const whole = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(max));

const askedAggregate = asked.extend({ compare: z.string().optional() });
const askedTimeseries = asked.extend({ interval: z.enum(['day', 'date', 'month']).optional() });
const askedBreakdown = asked.extend({
  property: z
    .string('is required: name the property to break down by')
    .regex(/^(event:(goal|name|page|props:.+)|visit:.+)$/s, 'must be a property such as visit:source'),
  limit: whole(LIMIT_MAX).default(LIMIT_DEFAULT),
  page: whole(PAGE_MAX).default(1),
});

const INTERVALS: Readonly<Partial<Record<Period, string>>> = {
  day: 'time:hour',
  '6mo': 'time:month',
  '12mo': 'time:month',
  year: 'time:month',
};
/** The vendor's older clients say date for day. */
const TIME_DIMENSIONS = { day: 'time:day', date: 'time:day', month: 'time:month' } as const;

/** What a breakdown leaves out where it is missing. */
const WITHOUT_NOT_SET = /^visit:(country|region|city|utm_\w+|entry_page|exit_page)$/;
const NOT_SET = '(not set)';
/** A version says nothing without what it is a version of. */
const BESIDE: Readonly<Record<string, string>> = {
  'visit:browser_version': 'visit:browser',
  'visit:os_version': 'visit:os',
};

export const realtimeVisitors: Translate<number> = (_, { now }) => {
  const to = Math.floor(now / SECOND_MS) * SECOND_MS + SECOND_MS;
  return {
    query: {
      metrics: ['visitors'],
      date_range: [to - REALTIME_MS, to].map((instant) => new Date(instant).toISOString()),
    },
    answer: ({ results }) => results[0]!.metrics[0] as number,
  };
};

export const aggregate: Translate<Results<Record<string, AggregatedValue>>> = (request, context) => {
  const parameters = parsedBy(askedAggregate, request);
  const compares = parameters.compare === 'previous_period';
  return {
    query: {
      ...queryOf(parameters, context),
      ...(compares && { include: { compare: 'previous_period' } }),
    },
    answer({ results: [row], meta }) {
      const entries = parameters.metrics.map((metric, index): [string, AggregatedValue] => [
        metric,
        {
          value: row!.metrics[index]!,
          ...(row!.comparison && {
            change: row!.comparison.change[index]!,
            comparison_value: row!.comparison.metrics[index]!,
          }),
        },
      ]);
      return resultsOf(Object.fromEntries(entries), meta);
    },
  };
};

export const timeseries: Translate<Results<readonly Record<string, Value>[]>> = (request, context) => {
  const parameters = parsedBy(askedTimeseries, request);
  const { period, interval, metrics } = parameters;
  const time = interval ? TIME_DIMENSIONS[interval] : (INTERVALS[period] ?? 'time:day');
  return {
    query: {
      ...queryOf(parameters, context),
      metrics: metrics.map((metric) => nativeMetric(metric, time)),
      dimensions: [time],
      include: { time_labels: true },
    },
    answer({ results, meta }) {
      const rows = new Map(results.map((row) => [row.dimensions[0], row.metrics]));
      const buckets = meta.time_labels!.map((date) => ({
        date,
        ...valuesOf(metrics, rows.get(date) ?? metrics.map((metric) => EMPTY[metric])),
      }));
      return resultsOf(buckets, meta);
    },
  };
};

export const breakdown: Translate<Results<readonly Record<string, Value>[]>> = (request, context) => {
  const parameters = parsedBy(askedBreakdown, request);
  const { property, metrics, limit, page } = parameters;
  const { filters, ...rest } = queryOf(parameters, context);
  const dimensions = [BESIDE[property] ?? [], property].flat();
  const first = metrics.find((metric) => metric !== 'time_on_page');
  const nativeOf = (metric: Metric) => nativeMetric(metric, property);
  return {
    query: {
      ...rest,
      metrics: [...metrics, ...(first ? [] : (['visitors'] as const))].map(nativeOf),
      filters: WITHOUT_NOT_SET.test(property) ? [...filters, ['is_not', property, [NOT_SET]]] : filters,
      dimensions,
      order_by: [
        [nativeOf(first ?? 'visitors'), 'desc'],
        [property, 'asc'],
      ],
      pagination: { limit, offset: (page - 1) * limit },
    },
    answer({ results, meta }) {
      const rows = results.map((row) => ({
        ...Object.fromEntries(dimensions.map((name, index) => [keyOf(name), row.dimensions[index]!])),
        ...valuesOf(metrics, row.metrics),
      }));
      return resultsOf(rows, meta);
    },
  };
};

function queryOf({ period, date, metrics, filters }: Asked, { zone, now }: TranslationContext) {
  return {
    metrics: metrics as readonly string[],
    date_range: dateRangeOf(period, date, localDateOf(now, zone)),
    filters: readFilters(filters),
  };
}

/** But for goals and properties, a rate is that of the visitors of each row. */
function nativeMetric(metric: Metric, dimension: string): string {
  const ofAll = dimension === 'event:goal' || dimension.startsWith('event:props:');
  return metric === 'conversion_rate' && !ofAll ? 'group_conversion_rate' : metric;
}

const keyOf = (dimension: string): string => dimension.replace(/^(visit:|event:props:|event:)/, '');

const valuesOf = (metrics: readonly Metric[], values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(metrics.map((metric, index) => [metric, values[index]!]));

function resultsOf<T>(results: T, meta: AnsweredMeta): Results<T> {
  const warning = warningOf(meta);
  return { results, ...(warning && { warning }) };
}
