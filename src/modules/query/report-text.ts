// An answer as it is kept and sent: the JSON of its parts, made once when it is computed. Only how fresh it is
// is said anew each time, so that who has it, in memory or from Redis, need not take it apart.
import { byteTextOf } from './byte-text.js';
import { digestOf, etagOf } from './digest.js';
import { type FreshnessMeta, freshnessTextOf, type ReadModelsState } from './freshness.js';
import { incompleteMeta } from './incomplete.js';
import type { ServedProjection } from '../projections/read-models/serving.js';
import type { AnswerSource, Report, ReportMeta } from './report.js';
import { type Compared, echoOf, type ReportQuery, timestampsOf } from './request/report-query.js';
import type { ReportNumbers } from './sources/read-report.js';
import { ESTIMATE_ERROR } from './sources/rollup.report.js';

export interface ReportText {
  readonly digest: string;
  readonly source: AnswerSource;
  /** Of an answer from a sample, what was settled when it was computed (settled-since.ts). */
  readonly settledThen: string | null;
  readonly bytes: number;
  /** Each of them JSON, without a line break and one character a byte: what caches keep, and sockets take, as it is. */
  readonly texts: readonly [results: string, metaButFreshness: string, query: string];
}

export interface Answer {
  readonly report: Report;
  /** The same, as it goes over the wire. */
  readonly json: () => Buffer;
  /** The same, one character a byte. */
  readonly bytes: () => string;
  /** Equal for equal numbers: freshness alone does not change it. */
  readonly etag: string;
}

export function reportTextOf(
  query: ReportQuery,
  numbers: ReportNumbers,
  settledThen: string | null,
): ReportText {
  const texts = [numbers.results, metaOf(query, numbers), echoOf(query)].map((part) => JSON.stringify(part));
  const whole = texts.join('\n');
  const bytes = texts.map(byteTextOf);
  return {
    digest: digestOf(whole),
    source: numbers.source,
    settledThen,
    bytes: bytes.reduce((sum, { length }) => sum + length, 0),
    texts: bytes as unknown as ReportText['texts'],
  };
}

export function answerOf(text: ReportText, state: ReadModelsState): Answer {
  const bytes = () => bytesOf(text, state);
  const json = () => Buffer.from(bytes(), 'latin1');
  return {
    get report() {
      return JSON.parse(json().toString()) as Report;
    },
    json,
    bytes,
    etag: etagOf(text.digest),
  };
}

function bytesOf({ source, texts }: ReportText, { projections }: ReadModelsState): string {
  const served: ServedProjection = source === 'rollup' ? 'traffic' : 'sessions';
  const freshness = freshnessTextOf(projections[served]);
  const [results, meta, query] = texts;
  return `{"results":${results},"meta":${freshness.slice(0, -1)},${meta.slice(1)},"query":${query}}`;
}

function metaOf(query: ReportQuery, numbers: ReportNumbers): Omit<ReportMeta, keyof FreshnessMeta> {
  const { sample, warnings, totals } = numbers;
  return {
    sampled: sample !== null,
    ...(sample && { sample_rate: sample.rate, sample_error: sample.error }),
    source: numbers.source,
    bots: query.include.bots ? 'included' : 'excluded',
    ...incompleteMeta(query.incomplete),
    ...(numbers.otherRow && { other_row: true as const }),
    ...(numbers.visitorsEstimated && { approximate: { visitors: ESTIMATE_ERROR } }),
    ...(Object.keys(warnings).length > 0 && { metric_warnings: warnings }),
    ...(query.include.timeLabels && { time_labels: query.buckets.labels }),
    ...(query.compared && comparedMeta(query, query.compared)),
    ...(totals && { totals }),
    ...(query.include.totalRows && { total_rows: numbers.totalRows }),
  };
}

function comparedMeta(
  { zone, include }: ReportQuery,
  { range, buckets }: Compared,
): Pick<ReportMeta, 'comparison_date_range' | 'comparison_time_labels'> {
  return {
    comparison_date_range: timestampsOf(range, zone),
    ...(include.timeLabels && { comparison_time_labels: buckets.labels }),
  };
}
