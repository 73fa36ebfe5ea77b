import { givenDraft } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { respectConsent } from './respect-consent.js';

const step = respectConsent();

it('drops the event of a browser that opted out', () => {
  expect(step(givenDraft({ request: { optedOut: true } }))).toEqual({
    verdict: 'dropped',
    reason: 'opted_out',
  });
});

it("goes on without the signal, and with a server's, which is no visitor's", () => {
  expect(step(givenDraft())).toBe(NEXT);
  expect(step(givenDraft({ request: { optedOut: true, server: true } }))).toBe(NEXT);
});
