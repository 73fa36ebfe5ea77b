import { clientName } from './client-name.js';

it.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    'Chrome on Windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15',
    'Safari on macOS',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
  ['curl/8.5.0', 'curl'],
  ['python-requests/2.31.0', 'python-requests'],
  ['tidemark-cli/0.1.0', 'tidemark-cli'],
])('tells %s by %s, without version', (userAgent, name) => {
  expect(clientName(userAgent)).toBe(name);
});

it.each([undefined, '', ' ', 'Mozilla/5.0', '=cmd()|x', '\u0000'])('says nothing of %j', (userAgent) => {
  expect(clientName(userAgent)).toBeUndefined();
});

it.each([
  'canary6f1d2c',
  'canary6f1d2c/1.0',
  'me@shop.example',
  'Mozilla/5.0 (canary6f1d2c) canary6f1d2c/1.0 x',
  'x'.repeat(10_000),
])('keeps nothing of what %j chose to say', (userAgent) => {
  expect([undefined, 'another program']).toContain(clientName(userAgent));
});
