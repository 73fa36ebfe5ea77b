import { Places } from './places.js';

const places = new Places();

it.each([
  ['193.0.6.139', 'NL'], // RIPE NCC
  ['2001:67c:2e8:22::c100:68b', 'NL'],
  ['200.160.2.3', 'BR'], // NIC.br
])('finds the country of %s', (address, country) => {
  expect(places.of(address)).toEqual({ country });
});

it.each(['127.0.0.1', '10.0.0.1', '::1', 'fe80::1', '192.0.2.1'])('knows none for %s', (address) => {
  expect(places.of(address)).toBeUndefined();
});

it('makes one object per country', () => {
  expect(places.of('193.0.6.139')).toBe(places.of('193.0.0.1'));
});
