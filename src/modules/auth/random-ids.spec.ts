import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { CHANCE, type IdSource, keyPrefix, seededIds } from './random-ids.js';

const seed = Buffer.alloc(32, 7);
const drawn = (ids: IdSource) => [ids.newId('k'), ids.newApiKey(), ids.newId('k'), ids.newId('s')];
const BASE62 = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyzOIl';

describe.each([
  ['chance', () => CHANCE],
  ['a seed', () => seededIds(randomBytes(32))],
])('ids from %s', (_, source) => {
  it('have their form', () => {
    const ids = source();
    expect(ids.newId('s')).toMatch(/^s[1-9A-HJ-NP-Za-km-z]{11}$/);
    expect(ids.newApiKey()).toMatch(/^tm_[0-9A-Za-z]{32}$/);
    expect(keyPrefix(ids.newApiKey())).toMatch(/^tm_[0-9A-Za-z]{7}$/);
  });

  it('differ', () => {
    const ids = source();
    const many = Array.from({ length: 2_000 }, () => ids.newId('s'));
    expect(new Set([...many, ...drawn(source())]).size).toBe(2_004);
  });

  it('take every character as often as any other', () => {
    const ids = source();
    const counts = new Map<string, number>();
    const characters = Array.from({ length: 5_000 }, () => ids.newId('').slice(0)).join('');
    for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = characters.length / 58;
    expect(counts.size).toBe(58);
    // Six standard deviations; a byte modulo 58 would have some at 0.78 of that and others at 1.1.
    for (const count of counts.values()) {
      expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected));
    }
  });

  it('put the CRC-32 of the rest at the end of a key', () => {
    const key = source().newApiKey();
    const digits = [...key.slice(-6)].toReversed().map((digit) => BASE62.indexOf(digit));
    expect(digits.reduce((sum, digit) => sum * 62 + digit, 0)).toBe(crc32(key.slice(0, -6)));
  });
});

it('a seed gives the same again, and another one something else', () => {
  expect(drawn(seededIds(seed))).toEqual(drawn(seededIds(seed)));
  const [first, key, second, other] = drawn(seededIds(seed));
  expect(new Set([first, key, second, other]).size).toBe(4);
  expect(drawn(seededIds(Buffer.alloc(32, 8)))).not.toContain(first);
});

it('what one kind of id draws does not move another', () => {
  const ids = seededIds(seed);
  ids.newId('j');
  expect(ids.newApiKey()).toBe(seededIds(seed).newApiKey());
});
