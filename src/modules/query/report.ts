// What every source of numbers delivers, and what a client is answered.
import { isTimeDimension } from './dimensions.js';
import { type Counters, metricValue } from './metrics.js';
import type { NormalisedQuery, ReportQuery } from './report-query.js';

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

export interface ReportRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly number[];
}

export interface ReportMeta {
  /** Everything received up to here is in the numbers; null before the first event. */
  readonly watermark: string | null;
  readonly lag_ms: number | null;
  readonly projection: string;
  readonly sampled: false;
  readonly source: 'rollup' | 'facts';
  readonly bots: 'excluded' | 'included';
  /** Metrics that are estimates, with their standard error as a fraction. */
  readonly approximate?: Readonly<Record<string, number>>;
  readonly time_labels?: readonly string[];
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
    metrics: query.metrics.map((metric) => metricValue(metric, counters)),
  };
}
