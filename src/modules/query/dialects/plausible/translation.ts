// What each of Plausible's requests becomes: the native query that answers it, and what is made of
// that query's report. Translators are pure; they compute no number.
import type { IncompleteMeta } from '../../incomplete.js';
import type { Goal } from '../../vocabulary/goal.js';
import type { Amount } from './revenue.js';

export interface TranslationContext {
  readonly domain: string;
  /** IANA name of the site's time zone. */
  readonly zone: string;
  /** The site's. */
  readonly goals: readonly Goal[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export type MetricValue = number | null | Amount;
export type Value = MetricValue | string;

/** What a translator needs to know of a report. */
export interface AnsweredRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly MetricValue[];
  readonly comparison?: {
    readonly metrics: readonly MetricValue[];
    readonly change: readonly (number | null)[];
  };
}

export interface MetricWarning {
  readonly code: string;
  readonly warning: string;
}

export interface AnsweredMeta {
  /** Of visitors, where only some were read. */
  readonly sample_rate?: number;
  /** Times of which something is hidden or was not taken, because of a quota. */
  readonly incomplete?: IncompleteMeta['incomplete'];
  /** Standard error of the smallest group's visitors, as a fraction. */
  readonly sample_error?: number;
  readonly approximate?: Readonly<Record<string, number>>;
  readonly time_labels?: readonly string[];
  readonly comparison_time_labels?: readonly string[];
  readonly total_rows?: number;
  readonly metric_warnings?: Readonly<Record<string, MetricWarning>>;
}

export interface AnsweredReport {
  readonly results: readonly AnsweredRow[];
  readonly meta: AnsweredMeta;
  readonly query: {
    readonly metrics: readonly string[];
    readonly date_range: readonly [string, string];
    readonly dimensions: readonly string[];
    readonly filters: readonly unknown[];
    readonly order_by: readonly unknown[];
    readonly pagination: { readonly limit: number; readonly offset: number };
  };
}

export interface Translation<Answer> {
  /** As the body of a native query. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly answer: (this: void, report: AnsweredReport) => Answer;
}

/** @throws Problem 400 for what the native query would not understand after it. */
export type Translate<Answer> = (request: unknown, context: TranslationContext) => Translation<Answer>;

/** Undefined: every number is exact, and nothing is missing. */
export function warningOf(meta: AnsweredMeta): string | undefined {
  const warnings = [lossOf(meta), estimatesOf(meta)].filter((one) => one !== undefined);
  return warnings.length === 0 ? undefined : warnings.join(' ');
}

function lossOf({ incomplete }: AnsweredMeta): string | undefined {
  if (incomplete === undefined) return undefined;
  const times = incomplete.map(({ from, to, share }) =>
    share === undefined
      ? `visits that began from ${from} to ${to} are not shown`
      : `from ${from} to ${to} only ${percent(share)} of the visitors were taken`,
  );
  return `The quota of events was used up: ${times.join('; ')}.`;
}

function estimatesOf({ approximate, sample_rate, sample_error }: AnsweredMeta): string | undefined {
  if (sample_rate !== undefined) {
    const error =
      sample_error === undefined ? '' : `, with a standard error of up to ${percent(sample_error)}`;
    return `These numbers are estimates from ${percent(sample_rate)} of the visitors${error}.`;
  }
  if (approximate === undefined) return undefined;
  const estimates = Object.entries(approximate).map(([metric, error]) => `${metric} (${percent(error)})`);
  return `These metrics are estimates, with this standard error: ${estimates.join(', ')}.`;
}

const percent = (fraction: number): string => `${Math.round(fraction * 1_000) / 10} %`;
