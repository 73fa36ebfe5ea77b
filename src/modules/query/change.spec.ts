import { changeOf } from './change.js';

it.each([
  [100, 150, 50],
  [150, 100, -33],
  [0, 7, 100],
  [0, 0, 0],
  [7, 0, -100],
  [-5, -5, 0],
  [8, 9, 12],
  [8, 11, 38],
])('from %d to %d visitors is %d percent', (before, now, change) => {
  expect(changeOf('visitors', before, now)).toBe(change);
});

it('takes a tie for one, though no float holds it', () => {
  expect(changeOf('views_per_visit', 1.76, 3.3)).toBe(88);
});

it.each([
  ['bounce_rate', 40, 35, -5],
  ['bounce_rate', 0, 35, 35],
  ['conversion_rate', 1.1, 3.35, 2.25],
  ['group_conversion_rate', 0.3, 0.1, -0.2],
])('%s from %d to %d is %d points', (metric, before, now, change) => {
  expect(changeOf(metric, before, now)).toBe(change);
});

it('says nothing where one of the two is unknown, or another currency', () => {
  const euros = (value: number) => ({ value, currency: 'EUR' });
  expect(changeOf('time_on_page', null, 3)).toBeNull();
  expect(changeOf('time_on_page', 3, null)).toBeNull();
  expect(changeOf('total_revenue', euros(10), { value: 12, currency: 'USD' })).toBeNull();
  expect(changeOf('total_revenue', null, euros(1))).toBeNull();
  expect(changeOf('total_revenue', euros(10), euros(12.5))).toBe(25);
});
