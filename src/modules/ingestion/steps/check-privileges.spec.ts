import type { Consent } from '../../../events/site.events.js';
import { givenDraft, givenEvent, givenRules, givenServerEvent, PAGE } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { checkPrivileges } from './check-privileges.js';

const step = checkPrivileges();

it.each(['visitorId', 'userId', 'ip', 'userAgent', 'clientHints', 'previousVisitorId'])(
  'refuses %s from a key that may be public, and takes it from a server',
  (field) => {
    expect(step(givenEvent({ [field]: 'x' }))).toMatchObject({
      verdict: 'rejected',
      reason: 'not_allowed',
      detail: expect.stringContaining(`${field} needs a key of scope ingest:server`),
    });
    expect(step(givenServerEvent({ [field]: 'x' }))).toBe(NEXT);
  },
);

it('lets a page describe itself', () => {
  expect(step(givenEvent({ language: 'de', screen: '1x1', props: {} }))).toBe(NEXT);
});

const naming = (fields: object, consentMode: Consent, consent?: Consent) =>
  step(
    givenDraft({
      input: { url: PAGE, ...fields, ...(consent && { consent }) },
      rules: givenRules({ consentMode }),
    }),
  );

it.each<[Consent, Consent | undefined, boolean]>([
  ['none', undefined, false],
  ['none', 'cookieless', false],
  ['none', 'full', true],
  ['cookieless', undefined, false],
  ['cookieless', 'cookieless', false],
  ['cookieless', 'full', false],
  ['full', undefined, true],
  ['full', 'cookieless', false],
  ['full', 'full', true],
])('of a page of a site in mode %s whose event says %s takes a visitor id: %s', (mode, consent, taken) => {
  for (const fields of [{ visitorId: 'v' }, { visitorId: 'v', previousVisitorId: 'u' }]) {
    const verdict = naming(fields, mode, consent);
    if (taken) expect(verdict).toBe(NEXT);
    else expect(verdict).toMatchObject({ verdict: 'rejected', reason: 'not_allowed' });
  }
});

it("leaves what is a server's to servers, whatever the visitor allows", () => {
  for (const field of ['userId', 'ip', 'userAgent', 'clientHints']) {
    expect(naming({ [field]: 'x' }, 'full', 'full')).toMatchObject({ reason: 'not_allowed' });
  }
});

it('refuses a lasting id that the event itself says is not allowed, from a server too', () => {
  expect(step(givenServerEvent({ visitorId: 'v', consent: 'cookieless' }))).toMatchObject({
    reason: 'not_allowed',
  });
});
