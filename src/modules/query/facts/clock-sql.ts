// What the clock at a site shows at an event, as SQL. PostgreSQL is told by how much that clock is ahead and
// when: it need not know the time zone, and no two sets of rules can disagree.
import type { Range } from '../request/date-range.js';
import { wallClockOf } from '../request/wall-clock.js';
import {
  type ClockDimension,
  clockFormat,
  type EventDimension,
  eventSql,
  type GOAL_DIMENSION,
  isClockDimension,
  type Place,
} from '../vocabulary/dimensions.js';
import { EVENT_AT } from './events-apart.js';
import { type SqlParameters, timestamp } from './sql-parameters.js';

export interface ClockContext {
  readonly parameters: SqlParameters;
  /** In which the events lie. */
  readonly range: Range;
  /** IANA name. */
  readonly zone: string;
}

/** Over an event `e` within the range: any dimension of events but goals. */
export const eventValueSql = (
  dimension: Exclude<EventDimension, typeof GOAL_DIMENSION>,
  place: Place,
  context: ClockContext,
): string =>
  isClockDimension(dimension) ? clockSql(dimension, context) : eventSql(dimension, place, context.parameters);

function clockSql(dimension: ClockDimension, { range, zone, parameters }: ClockContext): string {
  const { since, aheadMs } = wallClockOf(range, zone);
  const at = `width_bucket(${EVENT_AT}, ${parameters.add(since.map(timestamp), 'timestamptz[]')})`;
  const ahead = `(${parameters.add(aheadMs, 'int[]')})[${at}] * interval '1 millisecond'`;
  // Of events outside the range, which nobody counts, the clock is not known.
  return `coalesce(to_char((${EVENT_AT} AT TIME ZONE 'UTC') + ${ahead}, '${clockFormat(dimension)}'), '')`;
}
