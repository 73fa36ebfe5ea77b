// What every source of numbers delivers, and what a client is answered.
import type { FreshnessMeta } from './freshness.js';
import type { IncompleteMeta } from './incomplete.js';
import { isTimeDimension } from './vocabulary/dimensions.js';
import type { Counters } from './vocabulary/counters.js';
import { metricValue, type MetricValue, type MetricWarnings } from './vocabulary/metrics.js';
import type { NormalisedQuery, ReportQuery } from './request/report-query.js';

export const ANSWER_SOURCES = ['rollup', 'settled', 'facts'] as const;
export type AnswerSource = (typeof ANSWER_SOURCES)[number];

/** One group: its bucket (0 without a time dimension), its other dimensions in order, its counters. */
export interface Group {
  readonly bucket: number;
  readonly values: readonly string[];
  readonly counters: Counters;
}

export interface Groups {
  /** Ordered, one page. */
  readonly groups: readonly Group[];
  /** Of all pages. */
  readonly totalRows: number;
}

/** The same group in the range compared with. */
export interface ReportComparison {
  readonly metrics: readonly MetricValue[];
  readonly change: readonly (number | null)[];
}

export interface ReportTotals {
  readonly metrics: readonly MetricValue[];
  readonly comparison?: ReportComparison;
}

export interface ReportRow extends ReportTotals {
  readonly dimensions: readonly string[];
}

export interface ReportMeta extends FreshnessMeta, IncompleteMeta {
  readonly sampled: boolean;
  /** Of visitors, between 0 and 1. */
  readonly sample_rate?: number;
  /** Of the visitors of the smallest group in the answer: standard error as a fraction. */
  readonly sample_error?: number;
  readonly source: AnswerSource;
  readonly bots: 'excluded' | 'included';
  /** The row `(other)` stands for values that were rare on their day: their own rows may lack some, or be missing. */
  readonly other_row?: true;
  /** Metrics that are estimates, with their standard error as a fraction. */
  readonly approximate?: Readonly<Record<string, number>>;
  /** Metrics that could not be told of some row, and why. */
  readonly metric_warnings?: MetricWarnings;
  readonly time_labels?: readonly string[];
  readonly comparison_date_range?: readonly [string, string];
  readonly comparison_time_labels?: readonly string[];
  /** The whole range without dimensions. */
  readonly totals?: ReportTotals;
  readonly total_rows?: number;
}

export interface Report {
  readonly results: readonly ReportRow[];
  readonly meta: ReportMeta;
  readonly query: NormalisedQuery;
}

export function rowOf(query: ReportQuery, { bucket, values, counters }: Group): ReportRow {
  const rest = values.values();
  return {
    dimensions: query.dimensions.map((dimension) =>
      isTimeDimension(dimension) ? query.buckets.labels[bucket]! : rest.next().value!,
    ),
    metrics: metricsOf(query, counters),
  };
}

export const metricsOf = ({ metrics }: ReportQuery, counters: Counters): readonly MetricValue[] =>
  metrics.map((metric) => metricValue(metric, counters));
