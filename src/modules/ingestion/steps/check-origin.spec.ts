import { givenDraft, givenRules } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { checkOrigin } from './check-origin.js';

const step = checkOrigin();
const rules = givenRules({ allowedOrigins: ['shop.example', '*.shop.example'] });
const from = (origin: string | undefined, server = false) =>
  step(givenDraft({ rules, sender: { origin }, request: { server } }));

it.each([
  'https://shop.example',
  'https://www.shop.example',
  'http://shop.example:8080',
  'https://de.shop.example/from/a/referrer?x=1',
])('lets %s send', (origin) => {
  expect(from(origin)).toBe(NEXT);
});

it.each([
  'https://other.example',
  'https://notshop.example',
  'https://shop.example.evil.example',
  'null',
  'shop.example',
  '',
  undefined,
])('refuses %j', (origin) => {
  expect(from(origin)).toMatchObject({ verdict: 'rejected', reason: 'origin_not_allowed' });
});

it('asks a server for nothing', () => {
  expect(from(undefined, true)).toBe(NEXT);
});

it('lets anybody send where the site names no hosts', () => {
  expect(step(givenDraft({ sender: { origin: 'https://other.example' } }))).toBe(NEXT);
});
