import { givenDraft } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { forgetAddress } from './forget-address.js';

it('leaves no trace of the address, given or seen, anywhere in the draft', () => {
  const draft = givenDraft({
    input: { ip: '192.0.2.9', url: 'https://shop.example/' },
    sender: { address: '::ffff:192.0.2.1' },
  });
  draft.address = '192.0.2.1';
  expect(forgetAddress()(draft)).toBe(NEXT);
  expect(JSON.stringify(draft)).not.toContain('192.0.2');
});
