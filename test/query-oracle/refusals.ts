// Which requests make no sense, as the reference says, though each of their names is known.
import { dimensionsOf } from './filters.js';
import { comparedSpan } from './comparisons.js';
import type { Facts, OracleRequest } from './oracle.js';
import { type Moment, type Span, spanOf, trimmed } from './ranges.js';

const NEEDS: Readonly<Record<string, string>> = {
  scroll_depth: 'event:page',
  time_on_page: 'event:page',
  conversion_rate: 'event:goal',
  group_conversion_rate: 'event:goal',
};

/** Null: it can be answered. */
export function whyImpossible(
  { metrics, dimensions = [], filters = [] }: OracleRequest,
  segments: Facts['segments'],
): string | null {
  const used = [...dimensions, ...filters.flatMap((filter) => dimensionsOf(filter, segments))];
  for (const metric of metrics) {
    const needed = NEEDS[metric];
    if (needed !== undefined && !used.includes(needed)) return `${metric} needs ${needed}`;
  }
  return metrics.includes('percentage') && dimensions.length === 0 ? 'percentage needs a dimension' : null;
}

const BUCKETS_MAX = 10_000;
const BUCKET_MS: Readonly<Record<string, number>> = { 'time:minute': 60_000, 'time:hour': 3_600_000 };

/** Whether it cuts a range into more buckets than an answer holds. */
function isTooMuch(request: OracleRequest, moment: Moment): boolean {
  const span = trimmed(spanOf(request.date_range, moment), request, moment);
  const bucketMs = (request.dimensions ?? []).map((name) => BUCKET_MS[name]).find((ms) => ms !== undefined);
  const tooMany = ({ from, to }: Span) => bucketMs !== undefined && (to - from) / bucketMs > BUCKETS_MAX;
  const other = comparedSpan(span, request, moment);
  return tooMany(span) || (other !== null && tooMany(other));
}

/** The statuses that would be right; none: it can be answered. */
export function refusalsOf(
  request: OracleRequest,
  segments: Facts['segments'],
  moment: Moment,
): readonly (400 | 422)[] {
  return [
    ...(isTooMuch(request, moment) ? ([422] as const) : []),
    ...(whyImpossible(request, segments) === null ? [] : ([400] as const)),
  ];
}
