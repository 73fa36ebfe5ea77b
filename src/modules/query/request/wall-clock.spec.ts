import { wallClockOf } from './wall-clock.js';

const at = (text: string) => Date.parse(text);
const HOUR_MS = 3_600_000;
const YEAR = { from: at('2026-01-01T00:00:00Z'), to: at('2027-01-01T00:00:00Z') };

it('knows when summer time begins and ends', () => {
  expect(wallClockOf(YEAR, 'Europe/Berlin')).toEqual({
    since: [YEAR.from, at('2026-03-29T01:00:00Z'), at('2026-10-25T01:00:00Z')],
    aheadMs: [HOUR_MS, 2 * HOUR_MS, HOUR_MS],
  });
});

it.each([
  ['UTC', 0],
  ['Asia/Kathmandu', 5.75 * HOUR_MS],
])('has one offset in %s', (zone, aheadMs) => {
  expect(wallClockOf(YEAR, zone)).toEqual({ since: [YEAR.from], aheadMs: [aheadMs] });
});

it('leaves out what changes as the range ends', () => {
  const range = { from: at('2026-03-28T00:00:00Z'), to: at('2026-03-29T01:00:00Z') };
  expect(wallClockOf(range, 'Europe/Berlin').since).toEqual([range.from]);
});
