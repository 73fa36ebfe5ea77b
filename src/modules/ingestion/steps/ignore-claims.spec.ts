import { givenDraft, givenRules } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { ignoreClaims } from './ignore-claims.js';

const step = ignoreClaims();
const CLAIMS = {
  ...{ visitorId: 'v', userId: 'u', ip: '203.0.113.9', userAgent: 'Browser/2' },
  clientHints: { platform: '"Android"' },
};
const input = { url: 'https://shop.example/', name: 'a', ...CLAIMS };

it('leaves out what the client of another vendor may not say', () => {
  const draft = givenDraft({ input, request: { wire: 'segment' } });
  expect(step(draft)).toBe(NEXT);
  expect(draft.input).toEqual({ url: 'https://shop.example/', name: 'a' });
});

it('keeps the id of the visitor where the site has consent, and nothing else', () => {
  const rules = givenRules({ consentMode: 'full' });
  const draft = givenDraft({ input, request: { wire: 'segment' }, rules });
  step(draft);
  expect(draft.input).toEqual({ url: 'https://shop.example/', name: 'a', visitorId: 'v' });
});

it('believes a server, but for an id that contradicts the consent', () => {
  const draft = givenDraft({ input, request: { wire: 'segment', server: true } });
  step(draft);
  expect(draft.input).toEqual(input);
  const refused = givenDraft({
    input: { ...input, consent: 'cookieless' },
    request: { wire: 'segment', server: true },
  });
  step(refused);
  expect(refused.input).not.toHaveProperty('visitorId', 'v');
});

it('takes a sum without a currency for one in that of the site', () => {
  const revenue = { amount: 5, currency: '' };
  const draft = givenDraft({ input: { ...input, revenue }, request: { wire: 'matomo' } });
  draft.currency = 'CHF';
  step(draft);
  expect(draft.input.revenue).toEqual({ amount: 5, currency: 'CHF' });
});

it('leaves native events as they are: they are told what they may not say', () => {
  const draft = givenDraft({ input });
  step(draft);
  expect(draft.input).toBe(input);
});
