import { givenEvent, givenServerEvent } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { checkPrivileges } from './check-privileges.js';

const step = checkPrivileges();

it.each(['visitorId', 'userId', 'ip', 'userAgent', 'previousVisitorId'])(
  'refuses %s from a key that may be public, and takes it from a server',
  (field) => {
    expect(step(givenEvent({ [field]: 'x' }))).toEqual({
      verdict: 'rejected',
      reason: 'not_allowed',
      detail: `${field} needs a key of scope ingest:server`,
    });
    expect(step(givenServerEvent({ [field]: 'x' }))).toBe(NEXT);
  },
);

it('lets a page describe itself', () => {
  expect(step(givenEvent({ language: 'de', screen: '1x1', props: {} }))).toBe(NEXT);
});
