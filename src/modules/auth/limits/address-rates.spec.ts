import { AddressRates } from './address-rates.js';

const NOW = 1_700_000_000_000;

let rates: AddressRates;
beforeEach(() => (rates = new AddressRates(10)));

const wait = (address: string, events = 1, nowMs = NOW) => rates.take(address, events, nowMs).waitSeconds;

it('takes ten seconds’ worth at once, then as many as come back', () => {
  for (let event = 0; event < 100; event++) expect(wait('192.0.2.1')).toBe(0);
  expect([wait('192.0.2.1'), wait('192.0.2.1', 50)]).toEqual([1, 5]);
  expect([wait('192.0.2.1', 10, NOW + 1000), wait('192.0.2.1', 1, NOW + 1000)]).toEqual([0, 1]);
});

it('says how many are left, and when all are there again', () => {
  expect(rates.take('192.0.2.1', 30, NOW)).toEqual({
    ...{ max: 100, windowSeconds: 10, remaining: 70, fullInSeconds: 3, waitSeconds: 0 },
  });
  expect(rates.take('192.0.2.1', 80, NOW)).toMatchObject({ remaining: 70, waitSeconds: 1 });
});

it('tells addresses apart, but not the hosts of an IPv6 /64', () => {
  expect(wait('2001:db8::1', 100)).toBe(0);
  expect([wait('2001:db8::2'), wait('2001:db8:0:1::1'), wait('192.0.2.1')]).toEqual([1, 0, 0]);
});

it('lets a request of more events than a bucket holds through once it is full', () => {
  expect(wait('192.0.2.1', 1000)).toBe(0);
  expect([wait('192.0.2.1', 1000, NOW + 9_000), wait('192.0.2.1', 1000, NOW + 10_000)]).toEqual([1, 0]);
});

it('keeps no address, and forgets the oldest before it grows without bound', () => {
  for (let n = 0; n < 150_000; n++) rates.take(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 100, NOW);
  expect(wait('10.0.0.0')).toBe(0);
  expect(wait('10.2.73.239')).toBe(1);
});
