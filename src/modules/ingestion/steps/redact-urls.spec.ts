import fc from 'fast-check';
import { givenDraft, givenEvent, givenRules } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { redactUrls } from './redact-urls.js';

const step = redactUrls(['page']);

function redacted(url: string, referrer?: string) {
  const draft = givenEvent({ url, referrer });
  const verdict = step(draft);
  return verdict === NEXT ? draft.event.url : verdict;
}

const SHA_1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

it.each([
  ['keeps scheme, host, port and path', 'https://shop.example:8443/a/b', 'https://shop.example:8443/a/b'],
  ['spells the host one way', 'HTTPS://Shop.EXAMPLE/A', 'https://shop.example/A'],
  ['adds the empty path', 'https://shop.example', 'https://shop.example/'],
  ['removes credentials', 'https://jane:secret@shop.example/', 'https://shop.example/'],
  ['removes the fragment', 'https://shop.example/#token', 'https://shop.example/'],
  ['removes other parameters', 'https://shop.example/?q=me&sid=1', 'https://shop.example/'],
  [
    'keeps where the visitor came from',
    'https://shop.example/?utm_source=a&x=1&utm_campaign=b%20c&ref=d&gclid',
    'https://shop.example/?utm_source=a&utm_campaign=b%20c&ref=d&gclid',
  ],
  [
    'keeps parameters that the operator allows',
    'https://shop.example/?page=2',
    'https://shop.example/?page=2',
  ],
  [
    'blots out e-mail addresses in the path',
    'https://shop.example/u/jane.doe@example.com/x',
    'https://shop.example/u/[email]/x',
  ],
  ['also encoded ones', 'https://shop.example/u/jane%40example.co.uk', 'https://shop.example/u/[email]'],
  [
    'and in parameters',
    'https://shop.example/?utm_content=a@b.example',
    'https://shop.example/?utm_content=[email]',
  ],
  ['blots out long tokens', `https://shop.example/reset/${SHA_1}`, 'https://shop.example/reset/[token]'],
  ['and click ids', `https://shop.example/?gclid=Cj0KCQ-${'aB3_'.repeat(9)}`, 'https://shop.example/?gclid'],
  [
    'and JSON web tokens',
    'https://shop.example/l/eyJhbGciOi.eyJzdWIiOi.c2ln',
    'https://shop.example/l/[token]',
  ],
  [
    'leaves slugs alone',
    'https://shop.example/how-to-make-the-very-best-coffee-in-2026-with-a-press',
    'https://shop.example/how-to-make-the-very-best-coffee-in-2026-with-a-press',
  ],
  [
    'leaves UUIDs alone, which name things',
    'https://shop.example/p/01a1fcd2-bf56-7aed-b8d8-59c70f65495f',
    'https://shop.example/p/01a1fcd2-bf56-7aed-b8d8-59c70f65495f',
  ],
  [
    'leaves no encoded NUL for later decoders',
    'https://shop.example/a%00b',
    'https://shop.example/a%EF%BF%BDb',
  ],
  [
    'encodes what cannot be stored',
    'https://shop.example/\0\ud800',
    'https://shop.example/%EF%BF%BD%EF%BF%BD',
  ],
])('%s', (_what, url, expected) => {
  expect(redacted(url)).toBe(expected);
});

it.each([
  'shop.example/a',
  '/a',
  '//shop.example/a',
  'javascript:alert(1)',
  'ftp://shop.example/',
  'https://',
  'https://[::1',
  'https://a b/',
  'file:///etc/passwd',
  '',
])('rejects %j, which is no absolute http(s) URL', (url) => {
  expect(redacted(url)).toMatchObject({ verdict: 'rejected', reason: 'url_invalid' });
});

it('rejects a URL that grows beyond the limit once encoded', () => {
  expect(redacted(`https://shop.example/${'é'.repeat(1000)}`)).toMatchObject({ reason: 'url_too_long' });
  const draft = givenEvent({ referrer: `https://shop.example/${'é'.repeat(1000)}` });
  expect(step(draft)).toMatchObject({ reason: 'referrer_invalid' });
});

it('keeps parameters that the site keeps, of its own pages and redacted', () => {
  const url = 'https://shop.example/?q=me&category=a%40b.example&sort&page=2';
  const rules = givenRules({ queryParameters: ['category', 'sort'] });
  const draft = givenDraft({ input: { url, referrer: url }, rules });
  step(draft);
  expect(draft.event).toMatchObject({
    url: 'https://shop.example/?category=[email]&sort&page=2',
    referrer: 'https://shop.example/?page=2',
  });
});

it('redacts the referrer the same way', () => {
  const draft = givenEvent({ referrer: 'https://mail.example/u/jane@example.com?q=secret&utm_source=a#x' });
  step(draft);
  expect(draft.event.referrer).toBe('https://mail.example/u/[email]?utm_source=a');
});

it.each([
  ['android-app://com.google.android.gm/', 'android-app://com.google.android.gm/'],
  ['android-app://com.Example.Reader', 'android-app://com.example.reader/'],
  [
    'android-app://com.reddit.frontpage/https/www.reddit.com/u/jane?x=1',
    'android-app://com.reddit.frontpage/',
  ],
])('keeps of the app %s who it is', (referrer, kept) => {
  const draft = givenEvent({ referrer });
  step(draft);
  expect(draft.event.referrer).toBe(kept);
});

it('keeps of a click id that there was one', () => {
  expect(redacted('https://shop.example/?fbclid=IwAR0abc&gclid=1&msclkid&_ga=2')).toBe(
    'https://shop.example/?fbclid&gclid&msclkid',
  );
  const draft = givenDraft({
    input: { url: 'https://shop.example/?gclid=1' },
    rules: givenRules({ queryParameters: ['gclid'] }),
  });
  step(draft);
  expect(draft.event.url).toBe('https://shop.example/?gclid=1');
});

it.each(['', 'android-app://', 'ios-app://1234/', 'about:blank'])(
  'leaves out the referrer %j, keeping the event',
  (referrer) => {
    const draft = givenEvent({ referrer });
    expect(step(draft)).toBe(NEXT);
    expect(draft.event.referrer).toBeUndefined();
  },
);

it.each([
  ['letters', 'a'.repeat(2000)],
  ['local parts', 'a%40'.repeat(500)],
  ['dots', `a@${'a.'.repeat(990)}`],
  ['token starts', 'eyJ'.repeat(660)],
  ['hyphens', '-'.repeat(2000)],
])('is not slowed down by hostile %s', (_what, path) => {
  const startedAt = performance.now();
  for (let times = 0; times < 100; times++) redacted(`https://shop.example/${path}`);
  expect((performance.now() - startedAt) / 100).toBeLessThan(2);
});

it('spells a URL the same whether it was parsed or seemed plain', () => {
  const part = fc.string({ unit: fc.constantFrom(...'aZ09.-_~/:@?#&=%2e+é []\'"\\'), maxLength: 12 });
  const url = fc
    .tuple(fc.constantFrom('http', 'https', 'HTTPS'), part, part, part)
    .map(([scheme, ...rest]) => `${scheme}://${rest.join('/')}`);
  fc.assert(
    fc.property(url, (text) => {
      const made = redacted(text);
      if (typeof made !== 'string') return;
      const parsed = new URL(text);
      expect(new URL(made).href).toBe(made);
      expect(made.split('?')[0]).toBe(redacted(`${parsed.origin}${parsed.pathname}`));
      expect(made.startsWith(`${parsed.origin}/`)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});
