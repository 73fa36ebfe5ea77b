import { printed } from './revenue.js';

it.each([
  [1_370_110, 'EUR', '€1.4M', '€1,370,110.00'],
  [12.5, 'EUR', '€12.5', '€12.50'],
  [3_000, 'USD', '$3.0K', '$3,000.00'],
  [0, 'USD', '$0.0', '$0.00'],
  [-20, 'USD', '-$20.0', '-$20.00'],
  [1_234_567_890, 'JPY', '¥1.2B', '¥1,234,567,890'],
])('prints %d %s as %s and as %s', (value, currency, short, long) => {
  expect(printed({ value, currency })).toEqual({ value, currency, short, long });
});
