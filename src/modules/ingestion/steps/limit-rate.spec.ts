import { givenDraft, RECEIVED_AT } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { limitRate } from './limit-rate.js';

it('takes a token of the event’s site at the time of the request', () => {
  const asked: unknown[] = [];
  expect(limitRate((...args) => (asked.push(args), 0))(givenDraft())).toBe(NEXT);
  expect(asked).toEqual([['site', RECEIVED_AT]]);
});

it('rejects what comes beyond the rate, and says for how long', () => {
  expect(limitRate(() => 3)(givenDraft())).toMatchObject({ reason: 'rate_limited', retryAfterSeconds: 3 });
});
