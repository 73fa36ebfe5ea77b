// Decides what a query is answered from. The rollup holds site × UTC hour, so it answers whatever
// it counts, is not filtered, is grouped by time only, has no bound inside a UTC hour, and nothing hidden in its range;
// its answer equals the one from the facts. All else comes from the session facts.
import type { Counter } from '../vocabulary/counters.js';
import { isTimeDimension } from '../vocabulary/dimensions.js';
import { countersOf } from '../vocabulary/metrics.js';
import { hiddenOf, reachesInto } from '../incomplete.js';
import type { ReportQuery } from '../request/report-query.js';

export type Plan =
  | { readonly source: 'rollup' }
  | {
      readonly source: 'facts';
      readonly because: 'not-rolled-up' | 'filtered' | 'broken-down' | 'bound-within-hour' | 'hidden-in-part';
    };

/** What the rollup holds: no engagement, no revenue, nobody's first session. */
const ROLLED_UP: ReadonlySet<Counter> = new Set<Counter>([
  'visitors',
  'visits',
  'pageviews',
  'events',
  'bounceSessions',
  'bounces',
  'durationSessions',
  'durationMs',
]);
const HOUR_MS = 3_600_000;

export function planReport({ metrics, filters, dimensions, buckets, range, incomplete }: ReportQuery): Plan {
  if (![...countersOf(metrics)].every((counter) => ROLLED_UP.has(counter))) {
    return { source: 'facts', because: 'not-rolled-up' };
  }
  if (filters.length > 0) return { source: 'facts', because: 'filtered' };
  if (!dimensions.every(isTimeDimension)) return { source: 'facts', because: 'broken-down' };
  if (!buckets.bounds.every((bound) => bound % HOUR_MS === 0)) {
    return { source: 'facts', because: 'bound-within-hour' };
  }
  // Hours do not tell which visits their events are of.
  if (hiddenOf(incomplete).some((hidden) => reachesInto(hidden, range))) {
    return { source: 'facts', because: 'hidden-in-part' };
  }
  return { source: 'rollup' };
}
