import { Temporal } from 'temporal-polyfill';
import { dateRangeOf, type Period } from './v1-periods.js';

const TODAY = Temporal.PlainDate.from('2026-11-20');
const of = (period: Period, date?: string) => dateRangeOf(period, date, TODAY);

it.each<[Period, string | undefined, string, string]>([
  ['day', undefined, '2026-11-20', '2026-11-20'],
  ['day', '2026-01-01', '2026-01-01', '2026-01-01'],
  ['7d', undefined, '2026-11-13', '2026-11-19'],
  ['7d', '2021-01-08', '2021-01-01', '2021-01-07'],
  ['30d', undefined, '2026-10-21', '2026-11-19'],
  ['91d', undefined, '2026-08-21', '2026-11-19'],
  ['month', undefined, '2026-11-01', '2026-11-30'],
  ['month', '2024-02-15', '2024-02-01', '2024-02-29'],
  ['6mo', '2021-01-01', '2020-08-01', '2021-01-31'],
  ['12mo', undefined, '2025-12-01', '2026-11-30'],
  ['12mo', '2024-03-31', '2023-04-01', '2024-03-31'],
  ['year', undefined, '2026-01-01', '2026-12-31'],
  ['custom', '2020-12-01, 2021-01-02', '2020-12-01', '2021-01-02'],
])('%s of %s is from %s to %s', (period, date, first, last) => {
  expect(of(period, date)).toEqual([first, last]);
});

it('leaves the beginning of all to the site', () => {
  expect(of('all')).toBe('all');
});

it.each<[Period, string | undefined]>([
  ['day', '2021-dkjbAS'],
  ['day', '2021-02-30'],
  ['day', '20210101'],
  ['month', ''],
  ['custom', undefined],
  ['custom', '2020-01-01'],
  ['custom', '2020-01-01,2020-01-02,2020-01-03'],
  ['custom', '2020-131-2piaskj,s'],
])('refuses %s of %j', (period, date) => {
  expect(() => of(period, date)).toThrow(/^date: /);
});
