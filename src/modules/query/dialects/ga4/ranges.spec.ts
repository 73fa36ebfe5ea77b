import { planDateRanges, planMinuteRanges } from './ranges.js';

/** Already tomorrow in Auckland. */
const PRESENT = { zone: 'Pacific/Auckland', now: Date.parse('2026-11-20T12:34:56Z') };

const dates = (startDate: string, endDate: string, name = '') =>
  planDateRanges([{ startDate, endDate, name }], PRESENT);

it.each([
  ['today', 'today', '2026-11-21', '2026-11-21'],
  ['yesterday', 'today', '2026-11-20', '2026-11-21'],
  ['30daysAgo', 'yesterday', '2026-10-22', '2026-11-20'],
  ['0daysAgo', '2026-12-31', '2026-11-21', '2026-12-31'],
])("takes %s to %s by the site's calendar", (start, end, from, to) => {
  expect(dates(start, end)).toMatchObject({
    outcome: 'planned',
    ranges: [{ name: 'date_range_0', native: [from, to] }],
  });
});

it.each([
  ['tomorrow', 'today', 'dateRanges[0].startDate'],
  ['today', '2026-11-31', 'dateRanges[0].endDate'],
  ['today', '20261121', 'dateRanges[0].endDate'],
  ['today', 'yesterday', 'dateRanges[0]'],
  ['-1daysAgo', 'today', 'dateRanges[0].startDate'],
])('refuses %s to %s', (start, end, path) => {
  expect(dates(start, end)).toMatchObject({ outcome: 'refused', path });
});

it('refuses two ranges of one name', () => {
  const range = { startDate: 'today', endDate: 'today', name: 'now' };
  expect(planDateRanges([range, range], PRESENT)).toMatchObject({ outcome: 'refused', path: 'dateRanges' });
});

it('takes the last 30 minutes of the clock, the present one among them', () => {
  const outcome = planMinuteRanges([], { ...PRESENT, zone: 'Asia/Kolkata' });
  expect(outcome).toMatchObject({
    ranges: [{ name: 'date_range_0', native: ['2026-11-20T12:05:00.000Z', '2026-11-20T12:35:00.000Z'] }],
  });
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  const { minutesAgo } = outcome.ranges[0]!;
  expect([minutesAgo.get('2026-11-20 18:04:00'), minutesAgo.get('2026-11-20 17:35:00')]).toEqual([0, 29]);
  expect(minutesAgo.size).toBe(30);
});

it('numbers minutes across the end of summer time', () => {
  // The hour from 2 to 3 is repeated; this is a quarter past the second 2.
  const outcome = planMinuteRanges([], { zone: 'Europe/Berlin', now: Date.parse('2026-10-25T01:15:00Z') });
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  const { minutesAgo } = outcome.ranges[0]!;
  expect([minutesAgo.get('2026-10-25 02:15:00'), minutesAgo.get('2026-10-25 02:46:00')]).toEqual([0, 29]);
});
