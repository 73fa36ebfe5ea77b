import { givenDraft, givenEvent, givenServerEvent } from '../../../../test/given-draft.js';
import { canonicalAddress } from '../../../places/addresses.js';
import { NEXT } from '../verdict.js';
import { settleAddress } from './settle-address.js';

const step = settleAddress(canonicalAddress);

it("takes the connection's address for a page", () => {
  const draft = givenDraft({ sender: { address: '::ffff:192.0.2.7' } });
  expect(step(draft)).toBe(NEXT);
  expect(draft.address).toBe('192.0.2.7');
});

it("takes the connection's address for a page that says who its visitor is", () => {
  const draft = givenEvent({ visitorId: 'v' });
  expect(step(draft)).toBe(NEXT);
  expect(draft.address).toBe('192.0.2.1');
});

it('takes the one a server gives', () => {
  const draft = givenServerEvent({ ip: '2001:DB8:0:0::1' });
  expect(step(draft)).toBe(NEXT);
  expect(draft.address).toBe('2001:db8::1');
});

it.each([[{ visitorId: 'v' }], [{ userAgent: 'Browser/1' }]])(
  'takes none of a connection that speaks for another: %j',
  (fields) => {
    const draft = givenServerEvent(fields);
    expect(step(draft)).toBe(NEXT);
    expect(draft.address).toBeUndefined();
  },
);

it.each(['', '1.2.3', '256.1.1.1', 'localhost', 'fe80::1%eth0'])('rejects %j, which is no address', (ip) => {
  expect(step(givenServerEvent({ ip }))).toMatchObject({ verdict: 'rejected', reason: 'ip_invalid' });
});
