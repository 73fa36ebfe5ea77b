import { Temporal } from 'temporal-polyfill';
import { bucketOf, granuleFor, hasTornWeek, TIME_FORMATS } from './time-dimensions.js';

const day = (text: string) => Temporal.PlainDate.from(text);
const context = (from: string, to = from) => ({ from: day(from), to: day(to), minutesAgo: new Map() });

it.each([
  ['dateHourMinute', '2026-03-05 07:09:00', '202603050709'],
  ['dateHour', '2026-03-05 07:00:00', '2026030507'],
  ['minute', '2026-03-05 07:09:00', '09'],
  ['hour', '2026-03-05 07:00:00', '07'],
  ['date', '2026-03-05', '20260305'],
  ['day', '2026-03-05', '05'],
  ['dayOfWeek', '2026-03-08', '0'],
  ['dayOfWeek', '2026-03-07', '6'],
  ['dayOfWeekName', '2026-03-08', 'Sunday'],
  ['month', '2026-03-01', '03'],
  ['yearMonth', '2026-03-01', '202603'],
  ['year', '2026-01-01', '2026'],
  // 2026 begins on a Thursday: its first week has three days.
  ['week', '2026-01-01', '01'],
  ['week', '2026-01-03', '01'],
  ['week', '2026-01-04', '02'],
  ['yearWeek', '2026-12-27', '202653'],
  // 2023 begins on a Sunday.
  ['week', '2023-01-01', '01'],
  ['week', '2023-01-08', '02'],
  ['isoWeek', '2026-01-04', '01'],
  ['isoYearIsoWeek', '2027-01-01', '202653'],
  ['isoYear', '2027-01-01', '2026'],
  ['nthDay', '2026-03-05', '0033'],
  ['nthMonth', '2026-03-01', '0002'],
] as const)('reads %s off %s: %s', (name, label, value) => {
  expect(TIME_FORMATS[name](bucketOf(label), context('2026-01-31'))).toBe(value);
});

it.each([
  [['date', 'hour'], ['day', 'hour'], 'hour'],
  [['month', 'year'], ['month', 'year'], 'month'],
  [['year', 'week'], ['year', 'sunday-week'], 'sunday-week'],
  [['isoYear', 'isoWeek'], ['monday-week', 'monday-week'], 'monday-week'],
  [['week', 'isoWeek', 'date'], ['sunday-week', 'monday-week', 'day'], 'day'],
  [['week', 'month'], ['sunday-week', 'month'], undefined],
  [['isoWeek', 'year'], ['monday-week', 'year'], undefined],
] as const)('finds buckets of which %j can all be read', (_, granules, found) => {
  expect(granuleFor(granules)).toBe(found);
});

it.each([
  ['2025-12-30', '2026-01-02', true],
  ['2025-12-30', '2025-12-31', false],
  ['2026-01-01', '2026-12-31', false],
  // The last day of 2022 was a Saturday.
  ['2022-12-25', '2023-01-07', false],
  ['2022-12-25', '2024-01-01', true],
])('knows whether a week between %s and %s has days of two years: %s', (from, to, torn) => {
  expect(hasTornWeek(context(from, to))).toBe(torn);
});
