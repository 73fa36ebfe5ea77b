import { TOLERANCE, toleranceOf } from './tolerance.js';

it.each([
  ['0', 0, 0],
  ['12', 12, 0],
  ['0.25', 0.25, 0],
  ['0.5%', 0, 0.005],
  ['100%', 0, 1],
])('%s is an amount of %d and a share of %d', (text, amount, share) => {
  expect(TOLERANCE.test(text)).toBe(true);
  expect(toleranceOf(text)).toEqual({ amount, share });
});

it.each(['', '-1', '%', '1e3', '.5', '1 %', '0x1', 'Infinity', '1234567890123'])('%j is none', (text) => {
  expect(TOLERANCE.test(text)).toBe(false);
});
