import { givenDraft } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { locate } from './locate.js';

const step = locate((address) => (address === '192.0.2.1' ? { country: 'DE' } : undefined));

it.each([
  ['192.0.2.1', { country: 'DE' }],
  ['192.0.2.2', undefined],
  [undefined, undefined],
])('places %s at %j', (address, place) => {
  const draft = givenDraft();
  draft.address = address;
  expect(step(draft)).toBe(NEXT);
  expect(draft.event.place).toEqual(place);
});
