import { Problem } from '../../../http/problem.js';
import { idempotencyKeyOf } from './idempotency-key.js';

it.each([
  [undefined, undefined],
  ['order-42', 'order-42'],
  ['"order-42"', 'order-42'],
  [' 8e03978e-40d5-43dd-bc93-6894a57f9324 ', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['x'.repeat(255), 'x'.repeat(255)],
])('reads %j as %j', (header, key) => expect(idempotencyKeyOf(header)).toBe(key));

it.each(['', '""', '"', 'two words', 'a"b', 'a\\b', 'é', '\u0000', 'x'.repeat(256), `"${'x'.repeat(256)}"`])(
  'refuses %j',
  (header) => expect(() => idempotencyKeyOf(header)).toThrow(Problem),
);

it('takes several headers for one with a comma', () => {
  expect(idempotencyKeyOf(['a', 'b'])).toBe('a,b');
});
