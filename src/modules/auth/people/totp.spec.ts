import { base32, codeOf, enrolmentUri, stepAt, stepOfCode } from './totp.js';

const secret = Buffer.from('12345678901234567890');

it.each([
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
])('gives the code of RFC 6238 at %d s', (seconds, code) => {
  expect(codeOf(secret, stepAt(seconds * 1000), 8)).toBe(code);
});

it('takes the code of this half minute, of the one before and the one after, and says which', () => {
  const now = 1_234_567_890_000;
  const step = stepAt(now);
  for (const [offset, expected] of [
    [-2, undefined],
    [-1, step - 1],
    [0, step],
    [1, step + 1],
    [2, undefined],
  ] as const) {
    expect(stepOfCode(secret, codeOf(secret, step + offset), now)).toBe(expected);
  }
});

it.each(['', '12345', '1234567', '12345a', '１２３４５６'])('takes %j for no code', (code) => {
  expect(stepOfCode(secret, code, 0)).toBeUndefined();
});

it('writes base32 as RFC 4648 has it, without padding', () => {
  const texts = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'];
  expect(texts.map((text) => base32(Buffer.from(text)))).toEqual([
    '',
    'MY',
    'MZXQ',
    'MZXW6',
    'MZXW6YQ',
    'MZXW6YTB',
    'MZXW6YTBOI',
  ]);
});

it('tells an app all it needs', () => {
  const uri = new URL(enrolmentUri(secret, 'kim+x@shop.example'));
  expect(decodeURIComponent(uri.pathname)).toContain('Tidemark:kim+x@shop.example');
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    issuer: 'Tidemark',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
});
