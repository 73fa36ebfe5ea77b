import { givenDraft, givenRules } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { resolveSite } from './resolve-site.js';

const RULES = givenRules({ consentMode: 'full' });
const step = resolveSite((named, { caller }) =>
  ['site', 'shop.example'].includes(named) && caller.merchant === 'merchant'
    ? { id: 'site', merchant: 'owner', currency: 'EUR', rules: RULES }
    : undefined,
);
const wide = { id: 'key', merchant: 'merchant', site: null, scopes: new Set(['ingest'] as const) };

it('takes the site of the key where the event names none', () => {
  const draft = givenDraft();
  draft.event.site = '';
  expect(step(draft)).toBe(NEXT);
  expect(draft.event.site).toBe('site');
});

it('learns what the site asks of its events', () => {
  const draft = givenDraft();
  step(draft);
  expect(draft.rules).toBe(RULES);
  expect(draft.merchant).toBe('owner');
});

it('takes the site that the event names, by domain too', () => {
  const draft = givenDraft({ input: { site: 'shop.example' }, request: { caller: wide } });
  expect(step(draft)).toBe(NEXT);
  expect(draft.event.site).toBe('site');
});

it.each([
  ['a site nobody has', 'nowhere.example', 'site_unknown'],
  ['a site that is no text', 7, 'site_invalid'],
  ['null as a site', null, 'site_invalid'],
  ['no site with a key for several', undefined, 'site_required'],
])('rejects %s', (_what, site, reason) => {
  expect(step(givenDraft({ input: { site }, request: { caller: wide } }))).toMatchObject({
    verdict: 'rejected',
    reason,
  });
});

it("rejects another merchant's site in the same words as one that does not exist", () => {
  const stranger = { ...wide, merchant: 'another' };
  const foreign = step(givenDraft({ input: { site: 'shop.example' }, request: { caller: stranger } }));
  const absent = step(givenDraft({ input: { site: 'nowhere.example' }, request: { caller: stranger } }));
  expect(foreign).toEqual(absent);
});

it.each([[null], ['text'], [5], [[]], [true]])('rejects %j, which is no event', (input) => {
  expect(step(givenDraft({ input }))).toMatchObject({ verdict: 'rejected', reason: 'event_invalid' });
});
