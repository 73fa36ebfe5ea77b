// Plausible's Stats API v2: the native query's vocabulary is this one's, so that little is left to
// translate: the site in the body, ends of date-times that are included here and excluded there,
// amounts of money in print, and a `meta` and `query` that hold what the vendor's do.
import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { localTimestamp } from '../../request/date-range.js';
import { parsedBy } from '../../request/parsed-by.js';
import { type PrintedAmount, printed, type RevenueCurrencies, revenueCurrencies } from './revenue.js';
import {
  type AnsweredMeta,
  type AnsweredReport,
  type AnsweredRow,
  type MetricWarning,
  type Translate,
  type TranslationContext,
  warningOf,
} from './translation.js';
import { askedComparison, comparedRow, comparing } from './v2-comparison.js';

export const v2Include = z.strictObject({
  comparisons: askedComparison.optional(),
  imports: z.boolean().default(false),
  time_labels: z.boolean().default(false),
  total_rows: z.boolean().default(false),
  trim_relative_date_range: z.boolean().default(false),
});
type Include = z.output<typeof v2Include>;

const asked = z.looseObject({
  date_range: z.unknown().optional(),
  filters: z.unknown().optional(),
  include: v2Include.prefault({}),
});

interface V2Values {
  readonly dimensions: readonly string[];
  readonly metrics: readonly (number | null | PrintedAmount)[];
}

export interface V2Answer {
  readonly results: readonly (V2Values & {
    /** Null: what is compared with has no such time. */
    readonly comparison?: (V2Values & { readonly change: readonly (number | null)[] }) | null;
  })[];
  readonly meta: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T/;
const SECOND_MS = 1_000;
const REVENUE: ReadonlySet<string> = new Set(['total_revenue', 'average_revenue']);
/** Of the native query → the vendor's. */
const WARNING_CODES: Readonly<Record<string, string>> = { several_currencies: 'no_single_revenue_currency' };
const NO_REVENUE_GOALS: MetricWarning = {
  code: 'no_revenue_goals_matching',
  warning: 'None of the goals that are asked for has a currency, so there is no revenue to tell.',
};
/** There is nothing imported that could be told apart: an import's events are events like others. */
const IMPORTS = { imports_included: false, imports_skip_reason: 'no_imported_data' };

export const statsV2: Translate<V2Answer> = (request, context) => {
  const { site_id: _, date_range, filters, include, ...rest } = parsedBy(asked, request);
  const { imports: __, comparisons, trim_relative_date_range: trims, ...included } = include;
  return {
    query: {
      ...rest,
      date_range: withEndExcluded(date_range),
      ...(filters !== undefined && { filters: withValuesAsText(filters) }),
      include: {
        ...included,
        ...(trims && { trim_relative_date_range: true }),
        ...(comparisons && comparing(comparisons, rest.dimensions, withEndExcluded)),
      },
    },
    answer({ results, meta, query }) {
      const currencies = revenueCurrencies(query, context.goals);
      const warnings = warningsOf({ query, meta }, currencies);
      const of = { metrics: query.metrics, currencies, warnings };
      const printedRow = <Row extends Pick<AnsweredRow, 'dimensions' | 'metrics'>>(row: Row) => ({
        ...row,
        metrics: valuesOf(row, of),
      });
      return {
        results: results.map((row) => {
          const { dimensions, metrics } = row;
          const compared = comparisons && comparedRow(row, { query, meta });
          return {
            ...printedRow({ dimensions, metrics }),
            ...(compared !== undefined && { comparison: compared && printedRow(compared) }),
          };
        }),
        meta: metaOf({ ...meta, metric_warnings: warnings }, include),
        query: echoOf(query, include, context),
      };
    },
  };
};

/** The vendor counts the last second of two date-times. */
function withEndExcluded(range: unknown): unknown {
  if (!Array.isArray(range) || range.length !== 2) return range;
  const [from, to] = range as readonly unknown[];
  if (typeof to !== 'string' || !DATE_TIME.test(to)) return range;
  try {
    const lastMs = Temporal.Instant.from(to).epochMilliseconds;
    return [from, new Date(Math.floor(lastMs / SECOND_MS) * SECOND_MS + SECOND_MS).toISOString()];
  } catch {
    // There is no such instant, which the native query says.
    return range;
  }
}

/** Ids of cities and segments are numbers there. A body is not nested so deep that this could overflow. */
function withValuesAsText(node: unknown): unknown {
  if (typeof node === 'number') return String(node);
  return Array.isArray(node) ? node.map(withValuesAsText) : node;
}

type Warnings = Readonly<Record<string, MetricWarning>>;

function valuesOf(
  { dimensions, metrics: values }: Pick<AnsweredRow, 'dimensions' | 'metrics'>,
  {
    metrics,
    currencies,
    warnings,
  }: {
    readonly metrics: readonly string[];
    readonly currencies: RevenueCurrencies;
    readonly warnings: Warnings;
  },
): readonly (number | null | PrintedAmount)[] {
  return values.map((value, index) => {
    if (typeof value === 'number') return value;
    if (value !== null) return printed(value);
    const metric = metrics[index]!;
    const currency = REVENUE.has(metric) && !warnings[metric] ? currencies.of(dimensions) : null;
    return currency === null ? null : printed({ value: 0, currency });
  });
}

function warningsOf(
  { query, meta }: Pick<AnsweredReport, 'query' | 'meta'>,
  { none }: RevenueCurrencies,
): Warnings {
  const told = Object.entries(meta.metric_warnings ?? {}).map(([metric, { code, warning }]) => [
    metric,
    { code: WARNING_CODES[code] ?? code, warning },
  ]);
  const untold = none ? query.metrics.filter((metric) => REVENUE.has(metric)) : [];
  return Object.fromEntries([...untold.map((metric) => [metric, NO_REVENUE_GOALS]), ...told]);
}

function metaOf(meta: AnsweredMeta, include: Include): Record<string, unknown> {
  const { metric_warnings, time_labels, total_rows } = meta;
  const warning = warningOf(meta);
  return {
    ...(include.imports && IMPORTS),
    ...(metric_warnings && Object.keys(metric_warnings).length > 0 && { metric_warnings }),
    ...(include.time_labels && { time_labels }),
    ...(total_rows !== undefined && { total_rows }),
    ...(warning && { warning }),
  };
}

function echoOf(
  query: AnsweredReport['query'],
  include: Include,
  { domain, zone }: TranslationContext,
): Record<string, unknown> {
  const [from, to] = query.date_range;
  return {
    site_id: domain,
    metrics: query.metrics,
    date_range: [from, localTimestamp(Date.parse(to) - SECOND_MS, zone)],
    filters: query.filters,
    dimensions: query.dimensions,
    order_by: query.order_by,
    include: Object.fromEntries(Object.entries(include).filter(([, asked]) => asked)),
    pagination: { offset: query.pagination.offset, limit: query.pagination.limit },
  };
}
