import { prefersAsync } from './prefer.js';

it.each([
  'respond-async',
  'Respond-Async',
  'wait=10, respond-async',
  'respond-async; foo=bar',
  ' respond-async ,x',
])('hears %j', (prefer) => {
  expect(prefersAsync(prefer)).toBe(true);
});

it.each([undefined, '', 'return=minimal', 'respond-asynchronously', 'wait=respond-async'])(
  'does not hear it in %j',
  (prefer) => {
    expect(prefersAsync(prefer)).toBe(false);
  },
);
