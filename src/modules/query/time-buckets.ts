// Cuts a range into the hours, days, weeks or months of the site's time zone. A bucket is what a
// clock or calendar on the wall there shows: the hour that is repeated when summer time ends is
// one bucket of two hours, the skipped one does not exist. Pure.
import { Temporal } from 'temporal-polyfill';
import { TIME_BUCKETS_MAX } from './cost.js';
import { localDateOf, type Range, startOfDay } from './date-range.js';
import type { TimeDimension } from './dimensions.js';

export interface TimeBuckets {
  /** Epoch milliseconds, ascending: bucket i is [bounds[i], bounds[i + 1]). */
  readonly bounds: readonly number[];
  readonly labels: readonly string[];
}

export type TimeBucketsOutcome =
  | { readonly outcome: 'cut'; readonly buckets: TimeBuckets }
  | { readonly outcome: 'too-many'; readonly buckets: number };

interface Period {
  readonly label: string;
  readonly start: number;
}

const HOUR_MS = 3_600_000;
const SHORTEST_MS: Readonly<Record<TimeDimension, number>> = {
  'time:hour': HOUR_MS,
  'time:day': 23 * HOUR_MS,
  'time:week': 7 * 23 * HOUR_MS,
  'time:month': 27 * 24 * HOUR_MS,
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

export function cutIntoBuckets(dimension: TimeDimension, range: Range, zone: string): TimeBucketsOutcome {
  const expected = Math.ceil((range.to - range.from) / SHORTEST_MS[dimension]);
  if (expected > TIME_BUCKETS_MAX) return { outcome: 'too-many', buckets: expected };
  const bounds: number[] = [];
  const labels: string[] = [];
  let previous: Period | null = null;
  const close = (end: number) => {
    if (previous === null || end <= range.from || end <= previous.start) return;
    const cut = previous.start < range.from;
    bounds.push(Math.max(previous.start, range.from));
    labels.push(cut && dimension === 'time:week' ? localDateOf(range.from, zone).toString() : previous.label);
  };
  for (const period of PERIODS[dimension](range, zone)) {
    close(period.start);
    previous = period;
    if (period.start >= range.to) break;
  }
  return { outcome: 'cut', buckets: { bounds: [...bounds, range.to], labels } };
}

const PERIODS: Readonly<Record<TimeDimension, (range: Range, zone: string) => Generator<Period>>> = {
  'time:hour': hours,
  'time:day': (range, zone) => days({ first: localDateOf(range.from, zone), zone, step: { days: 1 } }),
  'time:week': (range, zone) => {
    const first = localDateOf(range.from, zone);
    return days({ first: first.subtract({ days: first.dayOfWeek - 1 }), zone, step: { weeks: 1 } });
  },
  'time:month': (range, zone) =>
    days({ first: localDateOf(range.from, zone).with({ day: 1 }), zone, step: { months: 1 } }),
};

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
function* hours(range: Range, zone: string): Generator<Period> {
  for (let date = localDateOf(range.from, zone); ; date = date.add({ days: 1 })) {
    const start = startOfDay(date, zone);
    const plain = startOfDay(date.add({ days: 1 }), zone) - start === 24 * HOUR_MS;
    for (let hour = 0; hour < 24; hour++) {
      const time = `${String(hour).padStart(2, '0')}:00:00`;
      yield {
        label: `${date.toString()} ${time}`,
        start: plain
          ? start + hour * HOUR_MS
          : date.toZonedDateTime({ timeZone: zone, plainTime: time }).epochMilliseconds,
      };
    }
  }
}
