import fc from 'fast-check';
import { canonicalAddress } from '../../places/addresses.js';
import { addressesIn } from './addresses.js';

const bits = (address: string): string => {
  const parts = address.includes(':') ? address.split(':') : address.split('.');
  const base = address.includes(':') ? 16 : 10;
  const width = base === 16 ? 16 : 8;
  return parts.map((part) => Number.parseInt(part, base).toString(2).padStart(width, '0')).join('');
};
const ipv4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((parts) => parts.join('.'));
const ipv6 = fc
  .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
  .map((parts) => parts.map((part) => part.toString(16)).join(':'));

it.each([
  ['IPv4', ipv4, 32],
  ['IPv6', ipv6, 128],
])('knows the block of an address by its first bits: %s', (_family, address, width) => {
  // Often near the block, else no random address would lie in it.
  const near = fc
    .tuple(address, fc.integer({ min: 1, max: width }), address, fc.boolean())
    .map(([block, prefix, other, same]) => ({ block, prefix, asked: same ? block : other }));
  fc.assert(
    fc.property(near, ({ block, prefix, asked }) => {
      const expected = bits(asked).slice(0, prefix) === bits(block).slice(0, prefix);
      expect(addressesIn([`${block}/${prefix}`])(canonicalAddress(asked)!)).toBe(expected);
    }),
    { numRuns: 1_000 },
  );
});

it('knows single addresses however they are spelled', () => {
  const lies = addressesIn(['2001:0DB8:0:0::1', '192.0.2.7']);
  expect(['2001:db8::1', '192.0.2.7'].map(lies)).toEqual([true, true]);
  expect(['2001:db8::2', '192.0.2.8', '::'].map(lies)).toEqual([false, false, false]);
});

it('takes an IPv4 visitor on an IPv6 socket for an IPv4 visitor', () => {
  expect(addressesIn(['192.0.2.0/24'])(canonicalAddress('::ffff:192.0.2.7')!)).toBe(true);
});
