import fc from 'fast-check';
import { compilePages } from './page-patterns.js';

it.each([
  ['/admin', '/admin', true],
  ['/admin', '/admin/', false],
  ['/admin', '/administrator', false],
  ['/admin*', '/administrator', true],
  ['/admin*', '/admin/users', false],
  ['/admin**', '/admin/users/7', true],
  ['/admin/**', '/admin', false],
  ['/admin/**', '/admin/', true],
  ['/*/edit', '/post/edit', true],
  ['/*/edit', '/a/b/edit', false],
  ['/**/edit', '/a/b/edit', true],
  ['/**/edit', '/edit', false],
  ['/a*a', '/aaa', true],
  ['/a*a', '/a', false],
  ['/**', '/', true],
  ['/*.json', '/a.json.json', true],
])('%s: %s is %s', (pattern, path, expected) => {
  expect(compilePages([pattern])!(path)).toBe(expected);
});

it('matches where one of several patterns does', () => {
  const matches = compilePages(['/a', '/b/**'])!;
  expect(['/a', '/b/c', '/c'].map(matches)).toEqual([true, true, false]);
  expect(compilePages([])).toBeUndefined();
});

it('matches what the regular expression would', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 12 });
  const pattern = fc
    .array(fc.tuple(fc.constantFrom('*', '**', ''), text), { maxLength: 4 })
    .map((pieces) => `/${pieces.flat().join('')}`.replace(/\*{3,}/g, '**'));
  fc.assert(
    fc.property(pattern, text, (wanted, rest) => {
      const source = wanted.replaceAll('.', '\\.').replace(/\*+/g, (run) => (run === '*' ? '[^/]*' : '.*'));
      expect(compilePages([wanted])!(`/${rest}`)).toBe(new RegExp(`^${source}$`).test(`/${rest}`));
    }),
    { numRuns: 5_000 },
  );
});

it('is not slowed down by hostile paths', () => {
  const matches = compilePages(Array.from({ length: 100 }, () => '/**a**a**a**a**b'))!;
  const path = `/${'a'.repeat(2_000)}`;
  matches(path);
  const startedAt = performance.now();
  expect(matches(path)).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(250);
});
