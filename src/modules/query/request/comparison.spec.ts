import { comparedRange, type ComparisonKind, type ComparisonOptions } from './comparison.js';
import { type DateRangeForm, localTimestamp, resolveDateRange, withoutFuture } from './date-range.js';

const ZONE = 'Europe/Berlin';
// A Friday.
const NOW = Date.parse('2026-11-20T13:20:00Z');

function compared(form: DateRangeForm, kind: ComparisonKind, options: Partial<ComparisonOptions> = {}) {
  const context = { zone: ZONE, now: NOW, earliest: null };
  const outcome = resolveDateRange(form, context);
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  const range = options.form === 'day' ? withoutFuture(outcome.range, 'day', context) : outcome.range;
  const { from, to } = comparedRange(range, kind, { form, zone: ZONE, matchDayOfWeek: false, ...options });
  return [from, to].map((end) => localTimestamp(end, ZONE).replace(/:00:00\+0[12]:00$/, ''));
}

it.each([
  ['day', '2026-11-19T00', '2026-11-20T00'],
  ['7d', '2026-11-06T00', '2026-11-13T00'],
  ['30d', '2026-09-21T00', '2026-10-21T00'],
  ['month', '2026-10-12T00', '2026-11-01T00'],
  [['2026-11-01', '2026-11-10'], '2026-10-22T00', '2026-11-01T00'],
  // The days before the change of clocks, though they are an hour shorter.
  [['2026-10-25', '2026-10-25'], '2026-10-24T00', '2026-10-25T00'],
  [['2026-11-20T10:00:00+01:00', '2026-11-20T12:00:00+01:00'], '2026-11-20T08', '2026-11-20T10'],
] as const)('the period before %j', (form, from, to) => {
  expect(compared(form, 'previous_period')).toEqual([from, to]);
});

it('the day before a day that is not over ends at the same time of the clock', () => {
  expect(compared('day', 'previous_period', { form: 'day' })).toEqual(['2026-11-19T00', '2026-11-19T15']);
});

it.each([
  ['7d', '2025-11-13T00', '2025-11-20T00'],
  ['year', '2025-01-01T00', '2025-11-21T00'],
  [['2024-02-29', '2024-02-29'], '2023-02-28T00', '2023-03-01T00'],
  [['2025-02-28', '2025-02-28'], '2024-02-28T00', '2024-02-29T00'],
  [['2026-11-20T10:00:00+01:00', '2026-11-20T12:00:00+01:00'], '2025-11-20T10', '2025-11-20T12'],
  [['2026-11-19T22:00:00+01:00', '2026-11-20T00:00:00+01:00'], '2025-11-19T22', '2025-11-20T00'],
] as const)('the year before %j', (form, from, to) => {
  expect(compared(form, 'year_over_year')).toEqual([from, to]);
});

it.each([
  // Friday to Thursday: the week before begins on a Friday as it is.
  ['7d', 'previous_period', '2026-11-06T00', '2026-11-13T00'],
  // Wednesday, 21 October; 30 days earlier is a Monday, two days on a Wednesday.
  ['30d', 'previous_period', '2026-09-23T00', '2026-10-23T00'],
  ['7d', 'year_over_year', '2025-11-14T00', '2025-11-21T00'],
  // The nearest Friday to Thursday is that day itself: the one before.
  ['day', 'previous_period', '2026-11-13T00', '2026-11-14T00'],
  ['day', 'year_over_year', '2025-11-21T00', '2025-11-22T00'],
] as const)('%s with %s, weekdays matched', (form, kind, from, to) => {
  expect(compared(form, kind, { matchDayOfWeek: true })).toEqual([from, to]);
});
