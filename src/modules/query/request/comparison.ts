// The range that a range is compared with. Days are shifted as days of the calendar, whatever their
// hours, and both ends are days that belong to it; so the 29th of February is compared with the 28th.
// Ranges that begin or end within a day are shifted by the clock. Pure.
import { Temporal } from 'temporal-polyfill';
import { type DateRangeForm, localDateOf, type Range, startOfDay } from './date-range.js';

export const COMPARISON_KINDS = ['previous_period', 'year_over_year'] as const;
export type ComparisonKind = (typeof COMPARISON_KINDS)[number];

export interface ComparisonOptions {
  /** The form in which the range was asked for. */
  readonly form: DateRangeForm;
  readonly zone: string;
  /** Shifts on to the nearest day that has the first day's weekday and is not that day. */
  readonly matchDayOfWeek: boolean;
}

const DAYS_A_WEEK = 7;

export function comparedRange(range: Range, kind: ComparisonKind, options: ComparisonOptions): Range {
  const { zone } = options;
  const first = localDateOf(range.from, zone);
  const last = localDateOf(range.to - 1, zone);
  const { firstCompared, lastCompared } = comparedDays({ first, last }, kind, options.matchDayOfWeek);
  const beginsWithDay = startOfDay(first, zone) === range.from;
  if (beginsWithDay && startOfDay(last.add({ days: 1 }), zone) === range.to) {
    return { from: startOfDay(firstCompared, zone), to: startOfDay(lastCompared.add({ days: 1 }), zone) };
  }
  const byDays = typeof options.form === 'string' && beginsWithDay;
  if (kind === 'previous_period' && !byDays && !options.matchDayOfWeek) {
    return { from: range.from - (range.to - range.from), to: range.from };
  }
  return {
    from: onDay(range.from, firstCompared, zone),
    to: onDay(range.to, lastCompared.add(last.until(localDateOf(range.to, zone))), zone),
  };
}

interface Days {
  readonly first: Temporal.PlainDate;
  readonly last: Temporal.PlainDate;
}

function comparedDays({ first, last }: Days, kind: ComparisonKind, matchDayOfWeek: boolean) {
  const back = kind === 'year_over_year' ? { years: 1 } : { days: first.until(last).days + 1 };
  const firstCompared = first.subtract(back);
  const lastCompared = last.subtract(back);
  const days = matchDayOfWeek ? daysToWeekdayOf(first, firstCompared) : 0;
  return { firstCompared: firstCompared.add({ days }), lastCompared: lastCompared.add({ days }) };
}

function daysToWeekdayOf(first: Temporal.PlainDate, compared: Temporal.PlainDate): number {
  const ahead = (first.dayOfWeek - compared.dayOfWeek + DAYS_A_WEEK) % DAYS_A_WEEK;
  if (ahead === 0) return 0;
  const nearer = ahead <= DAYS_A_WEEK / 2 ? ahead : ahead - DAYS_A_WEEK;
  return compared.add({ days: nearer }).equals(first) ? nearer - DAYS_A_WEEK : nearer;
}

/** The same time of the clock on another day. */
function onDay(epochMs: number, day: Temporal.PlainDate, zone: string): number {
  const time = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainTime();
  return day.toZonedDateTime({ timeZone: zone, plainTime: time }).epochMilliseconds;
}
