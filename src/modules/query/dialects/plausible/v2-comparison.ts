// `include.comparisons` of Plausible's Stats API v2: asked of the native query as what it compares with, and
// its answer as the vendor's, where a row of a time has the label of the time that it is compared with. Pure.
import { z } from 'zod';
import { COMPARISON_KINDS } from '../../request/comparison.js';
import { isTimeDimension, type Dimension } from '../../vocabulary/dimensions.js';
import type { AnsweredReport, AnsweredRow, MetricValue } from './translation.js';

export const askedComparison = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.enum(COMPARISON_KINDS), match_day_of_week: z.boolean().default(false) }),
  z.strictObject({ mode: z.literal('custom'), date_range: z.tuple([z.string(), z.string()]) }),
]);
export type AskedComparison = z.output<typeof askedComparison>;

/** As part of the native `include`. */
export function comparing(
  asked: AskedComparison,
  dimensions: unknown,
  withEndExcluded: (range: unknown) => unknown,
): Readonly<Record<string, unknown>> {
  const timed = Array.isArray(dimensions) && dimensions.some((name) => /^time(:|$)/.test(String(name)));
  return {
    ...(asked.mode === 'custom'
      ? { compare: withEndExcluded(asked.date_range) }
      : { compare: asked.mode, compare_match_day_of_week: asked.match_day_of_week }),
    // By which the times of both ranges are told.
    ...(timed && { time_labels: true }),
  };
}

export interface ComparedRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly MetricValue[];
  readonly change: readonly (number | null)[];
}

/** Null: the other range has no such time. */
export function comparedRow(
  { dimensions, comparison }: AnsweredRow,
  { query, meta }: Pick<AnsweredReport, 'query' | 'meta'>,
): ComparedRow | null {
  const at = query.dimensions.findIndex((name) => isTimeDimension(name as Dimension));
  if (at === -1) return { dimensions, ...comparison! };
  const label = meta.comparison_time_labels![meta.time_labels!.indexOf(dimensions[at]!)];
  return label === undefined ? null : { dimensions: dimensions.with(at, label), ...comparison! };
}
