import { givenDraft, RECEIVED_AT } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { checkQuota } from './check-quota.js';

it('asks for the merchant that owns the site at the time of the request', () => {
  const asked: unknown[] = [];
  expect(checkQuota((...args) => (asked.push(args), 0))(givenDraft())).toBe(NEXT);
  expect(asked).toEqual([['merchant', RECEIVED_AT]]);
});

it('rejects what comes beyond the quota, and says for how long', () => {
  const verdict = checkQuota(() => 86_400)(givenDraft());
  expect(verdict).toMatchObject({ reason: 'quota_exceeded', retryAfterSeconds: 86_400 });
});
