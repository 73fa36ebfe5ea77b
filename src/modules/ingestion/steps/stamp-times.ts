// When did it happen? The client's word is honoured from 24 hours ago to 5 minutes ahead (any past
// since 1990 with `ingest:server`); outside that the time of receipt stands in and the event says
// so. A server's time outside its bounds is refused instead, where its format can be told so: an import must
// not be falsified.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';

const LATE_MAX_MS = 24 * 3_600_000;
const AHEAD_MAX_MS = 5 * 60_000;
const EARLIEST_MS = Date.UTC(1990, 0, 1);

export const stampTimes =
  (): Step<Draft> =>
  ({ input, request, event }) => {
    if (input.occurredAt === undefined) return NEXT;
    const told = timeOf(input.occurredAt);
    if (told === undefined) {
      return rejected('occurred_at_invalid', 'occurredAt must be ISO 8601 or epoch milliseconds');
    }
    // A clock that is wrong was as wrong when it told the time of sending.
    const occurredAt = told + request.clockOffsetMs;
    const earliest = request.server ? EARLIEST_MS : request.receivedAt - LATE_MAX_MS;
    if (occurredAt >= earliest && occurredAt <= request.receivedAt + AHEAD_MAX_MS) {
      event.occurredAt = occurredAt;
      return NEXT;
    }
    if (request.server && request.wire === 'native') {
      return rejected('occurred_at_invalid', 'occurredAt must lie between 1990 and 5 minutes from now');
    }
    event.timeReplaced = true;
    return NEXT;
  };

const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?)?$/;

/** Epoch milliseconds. Undefined: not a time. */
function timeOf(value: string | number): number | undefined {
  if (typeof value === 'number') return Math.floor(value);
  const match = ISO_8601.exec(value);
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    sign,
    zoneHour,
    zoneMinute,
  ] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59) return undefined;
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  // 30 February would quietly become a day in March.
  if (midnight.getUTCDate() !== Number(day) || midnight.getUTCMonth() !== Number(month) - 1) return undefined;
  const local =
    midnight.getTime() +
    ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 +
    Math.floor(Number(`0.${fraction || '0'}`) * 1000);
  const offsetMs = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * 60_000;
  return sign === '-' ? local + offsetMs : local - offsetMs;
}
