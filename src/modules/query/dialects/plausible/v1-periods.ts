// The periods of Plausible's Stats API v1, which are relative to a date: by default today, in the
// site's time zone. Unlike in v2, months are whole ones and count the date's own.
import { Temporal } from 'temporal-polyfill';
import { Problem } from '../../../../http/problem.js';

export const PERIODS = [
  '12mo',
  '6mo',
  'month',
  '30d',
  '7d',
  'day',
  'custom',
  '28d',
  '91d',
  'year',
  'all',
] as const;
export type Period = (typeof PERIODS)[number];

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** @throws Problem 400 for dates that do not exist, or are none. */
export function dateRangeOf(
  period: Period,
  date: string | undefined,
  today: Temporal.PlainDate,
): string | readonly [string, string] {
  if (period === 'custom') return customRange(date);
  const last = date === undefined ? today : readDate(date);
  switch (period) {
    case 'all':
      return 'all';
    case 'day':
      return days(last, last);
    case 'year':
      return days(last.with({ month: 1, day: 1 }), last.with({ month: 12, day: 31 }));
    case 'month':
    case '6mo':
    case '12mo': {
      const monthsBefore = period === 'month' ? 0 : Number.parseInt(period, 10) - 1;
      const first = last.with({ day: 1 }).subtract({ months: monthsBefore });
      return days(first, last.with({ day: last.daysInMonth }));
    }
    default:
      return days(last.subtract({ days: Number.parseInt(period, 10) }), last.subtract({ days: 1 }));
  }
}

function customRange(date: string | undefined): readonly [string, string] {
  const ends = date?.split(',').map((end) => end.trim()) ?? [];
  if (ends.length !== 2) throw refuse('must be two dates joined by a comma where the period is custom');
  return days(readDate(ends[0]!), readDate(ends[1]!));
}

function readDate(text: string): Temporal.PlainDate {
  if (DATE.test(text)) {
    try {
      return Temporal.PlainDate.from(text, { overflow: 'reject' });
    } catch {
      // Such as February 30: said below.
    }
  }
  throw refuse(`there is no date "${text}": write it as 2026-01-31`);
}

const days = (first: Temporal.PlainDate, last: Temporal.PlainDate): readonly [string, string] => [
  first.toString(),
  last.toString(),
];

const refuse = (message: string): Problem =>
  Problem.badRequest(`date: ${message}`, [{ path: 'date', message }]);
