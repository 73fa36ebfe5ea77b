// Cuts a range into the minutes, hours, days, weeks, months or years of the site's time zone. A bucket
// is what a clock or calendar on the wall there shows: the hour that is repeated when summer time ends
// is one bucket of two hours, the skipped one does not exist. Only minutes that the clock shows twice
// are two buckets, of one name, because other minutes lie between them. Calendars are slow to reckon with, and
// all panels of a dashboard ask for the same days: what was cut is remembered.
import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';
import { TIME_BUCKETS_MAX } from './cost.js';
import { localDateOf, type Range, startOfDay } from './date-range.js';
import type { WeekStart } from '../../../events/site.events.js';
import type { TimeDimension } from '../vocabulary/dimensions.js';

export interface Calendar {
  /** IANA name. */
  readonly zone: string;
  /** Monday, unless said otherwise. */
  readonly weekStart?: WeekStart;
}

export interface TimeBuckets {
  /** Epoch milliseconds, ascending: bucket i is [bounds[i], bounds[i + 1]). */
  readonly bounds: readonly number[];
  readonly labels: readonly string[];
}

export type TimeBucketsOutcome =
  | { readonly outcome: 'cut'; readonly buckets: TimeBuckets }
  | { readonly outcome: 'too-many'; readonly buckets: number };

const DAYS_A_WEEK = 7;
const DAY_OF_WEEK: Readonly<Record<WeekStart, number>> = { monday: 1, saturday: 6, sunday: 7 };

interface Period {
  readonly label: string;
  readonly start: number;
}

const MINUTE_MS = 60_000;
/** No time zone has changed its offset within one since 1972. */
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 3_600_000;
const SHORTEST_MS: Readonly<Record<TimeDimension, number>> = {
  'time:minute': MINUTE_MS,
  'time:hour': HOUR_MS,
  'time:day': 23 * HOUR_MS,
  'time:week': 7 * 23 * HOUR_MS,
  'time:month': 27 * 24 * HOUR_MS,
  'time:year': 364 * 24 * HOUR_MS,
};

/** `time` without a granularity: hours up to 48, days up to 40, weeks up to 52, then months. */
export function granularityFor(range: Range, zone: string): TimeDimension {
  const wallClock = (epochMs: number) =>
    Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainDateTime();
  const hours = wallClock(range.from).until(wallClock(range.to)).total('hours');
  if (hours <= 48) return 'time:hour';
  if (hours <= 40 * 24) return 'time:day';
  return hours <= 52 * 7 * 24 ? 'time:week' : 'time:month';
}

const REMEMBERED_BUCKETS_MAX = 200_000;
const remembered = new LRUCache<string, TimeBucketsOutcome>({
  maxSize: REMEMBERED_BUCKETS_MAX,
  sizeCalculation: (cut) => 1 + (cut.outcome === 'cut' ? cut.buckets.labels.length : 0),
});

export function cutIntoBuckets(
  dimension: TimeDimension,
  range: Range,
  calendar: Calendar,
): TimeBucketsOutcome {
  const key = [dimension, range.from, range.to, calendar.zone, calendar.weekStart].join(' ');
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const cut = cutAnew(dimension, range, calendar);
  remembered.set(key, cut);
  return cut;
}

function cutAnew(dimension: TimeDimension, range: Range, calendar: Calendar): TimeBucketsOutcome {
  const expected = Math.ceil((range.to - range.from) / SHORTEST_MS[dimension]);
  if (expected > TIME_BUCKETS_MAX) return { outcome: 'too-many', buckets: expected };
  const bounds: number[] = [];
  const labels: string[] = [];
  let previous: Period | null = null;
  const close = (end: number) => {
    if (previous === null || end <= range.from || end <= previous.start) return;
    const cut = previous.start < range.from;
    bounds.push(Math.max(previous.start, range.from));
    labels.push(
      cut && dimension === 'time:week' ? localDateOf(range.from, calendar.zone).toString() : previous.label,
    );
  };
  for (const period of PERIODS[dimension](range, calendar)) {
    close(period.start);
    previous = period;
    if (period.start >= range.to) break;
  }
  return { outcome: 'cut', buckets: { bounds: [...bounds, range.to], labels } };
}

const PERIODS: Readonly<Record<TimeDimension, (range: Range, calendar: Calendar) => Generator<Period>>> = {
  'time:minute': minutes,
  'time:hour': hours,
  'time:day': (range, { zone }) => days({ first: localDateOf(range.from, zone), zone, step: { days: 1 } }),
  'time:week': (range, { zone, weekStart = 'monday' }) => {
    const date = localDateOf(range.from, zone);
    const sinceStart = (date.dayOfWeek + DAYS_A_WEEK - DAY_OF_WEEK[weekStart]) % DAYS_A_WEEK;
    return days({ first: date.subtract({ days: sinceStart }), zone, step: { weeks: 1 } });
  },
  'time:month': (range, { zone }) =>
    days({ first: localDateOf(range.from, zone).with({ day: 1 }), zone, step: { months: 1 } }),
  'time:year': (range, { zone }) =>
    days({ first: localDateOf(range.from, zone).with({ month: 1, day: 1 }), zone, step: { years: 1 } }),
};

/** Asks the time zone only once in a quarter of an hour. */
function* minutes(range: Range, { zone }: Calendar): Generator<Period> {
  for (let quarter = Math.floor(range.from / QUARTER_MS) * QUARTER_MS; ; quarter += QUARTER_MS) {
    const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(quarter).toZonedDateTimeISO(zone);
    const offsetMs = Math.floor(offsetNanoseconds / 1_000_000 / MINUTE_MS) * MINUTE_MS;
    for (let start = quarter; start < quarter + QUARTER_MS; start += MINUTE_MS) {
      const wall = new Date(start + offsetMs).toISOString();
      yield { label: `${wall.slice(0, 10)} ${wall.slice(11, 16)}:00`, start };
    }
  }
}

function* days(options: {
  readonly first: Temporal.PlainDate;
  readonly zone: string;
  readonly step: Temporal.DurationLike;
}): Generator<Period> {
  const { first, zone, step } = options;
  for (let date = first; ; date = date.add(step)) {
    yield { label: date.toString(), start: startOfDay(date, zone) };
  }
}

/** Asks the time zone only once a day, and hour by hour only on days that are not 24 hours long. */
function* hours(range: Range, { zone }: Calendar): Generator<Period> {
  for (let date = localDateOf(range.from, zone); ; date = date.add({ days: 1 })) {
    const start = startOfDay(date, zone);
    const plain = startOfDay(date.add({ days: 1 }), zone) - start === 24 * HOUR_MS;
    for (let hour = 0; hour < 24; hour++) {
      const wall = date.toPlainDateTime({ hour });
      yield {
        label: `${date.toString()} ${String(hour).padStart(2, '0')}:00:00`,
        start: plain ? start + hour * HOUR_MS : firstInstantOf(wall, zone),
      };
    }
  }
}

/** Where the clock skips it, the end of what is skipped: clocks that jump from 2:45 to 3:45 show a quarter of 3 o'clock. */
function firstInstantOf(wall: Temporal.PlainDateTime, zone: string): number {
  const instant = wall.toZonedDateTime(zone);
  if (instant.toPlainDateTime().equals(wall)) return instant.epochMilliseconds;
  const before = wall.toZonedDateTime(zone, { disambiguation: 'earlier' });
  return before.getTimeZoneTransition('next')!.epochMilliseconds;
}
