import { Calendar, endOfMonth, monthOf } from './usage-month.js';

it('begins months at midnight in UTC, leap years and ends of years included', () => {
  const ends = (['2026-11', '2026-12', '2028-02'] as const).map((month) =>
    new Date(endOfMonth(month)).toJSON(),
  );
  expect(ends).toEqual(['2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z']);
});

it('tells the month of any moment, in any order', () => {
  const calendar = new Calendar();
  const end = endOfMonth('2026-11');
  for (const atMs of [end - 1, end, end - 1, endOfMonth('2027-01') - 1, 0, end]) {
    expect(calendar.monthOf(atMs)).toBe(monthOf(atMs));
  }
  expect([end - 1, end].map(monthOf)).toEqual(['2026-11', '2026-12']);
});
