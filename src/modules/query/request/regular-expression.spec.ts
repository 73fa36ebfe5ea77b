import { patternForPostgres } from './regular-expression.js';

it.each([
  ['^/blog/\\d+$', '^/blog/\\d+$'],
  ['\\bshop\\b', '\\yshop\\y'],
  ['a\\Bb\\z', 'a\\Yb\\Z'],
  ['[\\b]', '[\\b]'],
  ['\\\\1', '\\\\1'],
  ['(?:a|b)', '(?:a|b)'],
])('reads %s as %s', (text, pattern) => {
  expect(patternForPostgres(text)).toEqual({ outcome: 'pattern', pattern });
});

it.each(['(a)\\1', '(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '***=a', 'a\\', 'x'.repeat(257)])(
  'refuses %s',
  (text) => {
    expect(patternForPostgres(text).outcome).toBe('refused');
  },
);
