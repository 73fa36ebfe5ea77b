import type { Consent } from '../../../events/site.events.js';
import { givenDraft, givenRules, PAGE } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { respectConsent } from './respect-consent.js';

const step = respectConsent();
const NO_CONSENT = { verdict: 'dropped', reason: 'no_consent' };

const given = (consentMode: Consent, consent?: Consent, server = false) =>
  givenDraft({
    input: { url: PAGE, ...(consent && { consent }) },
    rules: givenRules({ consentMode }),
    request: { server },
  });

it('drops the event of a browser that opted out, whatever the event says', () => {
  for (const input of [{ url: PAGE }, { url: PAGE, consent: 'full' }]) {
    expect(step(givenDraft({ input, request: { optedOut: true } }))).toEqual({
      verdict: 'dropped',
      reason: 'opted_out',
    });
  }
});

it("goes on without the signal, and with a server's, which is no visitor's", () => {
  expect(step(givenDraft())).toBe(NEXT);
  expect(step(givenDraft({ request: { optedOut: true, server: true } }))).toBe(NEXT);
});

it('takes visitors to allow what the site says, where the event does not say it', () => {
  expect(step(given('none'))).toEqual(NO_CONSENT);
  expect(step(given('cookieless'))).toBe(NEXT);
  expect(step(given('full'))).toBe(NEXT);
});

it('takes what the event says before what the site says', () => {
  expect(step(given('none', 'cookieless'))).toBe(NEXT);
  expect(step(given('none', 'full'))).toBe(NEXT);
  expect(step(given('full', 'none'))).toEqual(NO_CONSENT);
});

it("does not bind servers by the site's mode, but by what they say themselves", () => {
  expect(step(given('none', undefined, true))).toBe(NEXT);
  expect(step(given('full', 'none', true))).toEqual(NO_CONSENT);
});
