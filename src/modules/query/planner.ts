// Decides what a query is answered from. The rollup holds site × UTC hour, so it answers whatever
// is not filtered, is grouped by time only, and has no bound inside a UTC hour; its answer equals
// the one from the facts. All else comes from the session facts.
import { isTimeDimension } from './dimensions.js';
import type { ReportQuery } from './report-query.js';

export type Plan =
  | { readonly source: 'rollup' }
  | { readonly source: 'facts'; readonly because: 'filtered' | 'broken-down' | 'bound-within-hour' };

const HOUR_MS = 3_600_000;

export function planReport({ filters, dimensions, buckets }: ReportQuery): Plan {
  if (filters.length > 0) return { source: 'facts', because: 'filtered' };
  if (!dimensions.every(isTimeDimension)) return { source: 'facts', because: 'broken-down' };
  if (!buckets.bounds.every((bound) => bound % HOUR_MS === 0)) {
    return { source: 'facts', because: 'bound-within-hour' };
  }
  return { source: 'rollup' };
}
