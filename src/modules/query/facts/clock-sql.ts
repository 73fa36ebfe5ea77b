// What the clock at a site shows at an event, as SQL. PostgreSQL is told by how much that clock is ahead and
// when: it need not know the time zone, and no two sets of rules can disagree.
import { wallClockOf } from '../request/wall-clock.js';
import type { ReportQuery } from '../request/report-query.js';
import { type ClockDimension, clockFormat } from '../vocabulary/dimensions.js';
import { EVENT_AT } from './events-apart.js';
import { type SqlParameters, timestamp } from './sql-parameters.js';

/** Over an event `e` within the range. */
export function clockSql(
  dimension: ClockDimension,
  { range, zone }: Pick<ReportQuery, 'range' | 'zone'>,
  parameters: SqlParameters,
): string {
  const { since, aheadMs } = wallClockOf(range, zone);
  const at = `width_bucket(${EVENT_AT}, ${parameters.add(since.map(timestamp), 'timestamptz[]')})`;
  const ahead = `(${parameters.add(aheadMs, 'int[]')})[${at}] * interval '1 millisecond'`;
  return `to_char((${EVENT_AT} AT TIME ZONE 'UTC') + ${ahead}, '${clockFormat(dimension)}')`;
}
