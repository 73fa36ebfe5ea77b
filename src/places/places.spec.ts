import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mmdbOf } from '../../test/mmdb.js';
import { Places } from './places.js';

describe('the database that comes along', () => {
  const places = new Places();

  it.each([
    ['193.0.6.139', 'NL'], // RIPE NCC
    ['2001:67c:2e8:22::c100:68b', 'NL'],
    ['200.160.2.3', 'BR'], // NIC.br
  ])('finds the country of %s, and says of when it is', (address, country) => {
    expect(places.of(address)).toEqual({
      country,
      database: expect.stringMatching(/^geo-whois-asn-country 20\d\d-\d\d-\d\d$/),
    });
  });

  it.each(['127.0.0.1', '10.0.0.1', '::1', 'fe80::1', '192.0.2.1'])('knows none for %s', (address) => {
    expect(places.of(address)).toBeUndefined();
  });

  it('makes one object per country', () => {
    expect(places.of('193.0.6.139')).toBe(places.of('193.0.0.1'));
  });
});

describe("a database of the operator's own", () => {
  let directory: string;
  beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'tidemark-places-'))));
  afterAll(() => rmSync(directory, { recursive: true }));

  const placesIn = (networks: Readonly<Record<string, unknown>>): Places => {
    const path = join(directory, 'own.mmdb');
    writeFileSync(path, mmdbOf(networks, 'Own-City', new Date('2026-11-03T00:00:00Z')));
    return new Places(path);
  };
  const database = 'Own-City 2026-11-03';

  it('names region and city in the form of MaxMind', () => {
    const munich = {
      country: { iso_code: 'DE' },
      subdivisions: [{ iso_code: 'BY', names: { en: 'Bavaria' } }],
      city: { names: { en: 'Munich', de: 'München' } },
    };
    const places = placesIn({ '192.0.2.0/25': munich, '192.0.2.128/25': { country: { iso_code: 'AT' } } });
    expect(places.of('192.0.2.7')).toEqual({ country: 'DE', region: 'DE-BY', city: 'Munich', database });
    expect(places.of('192.0.2.8')).toBe(places.of('192.0.2.7'));
    expect(places.of('192.0.2.200')).toEqual({ country: 'AT', database });
    expect(places.of('198.51.100.1')).toBeUndefined();
  });

  it('and in the flat form of ip-location-db', () => {
    const places = placesIn({
      '192.0.2.0/24': { country_code: 'FR', state1: 'Île-de-France', city: 'Paris' },
      '198.51.100.0/24': { city: 'Nowhere' },
      '203.0.113.0/24': { country_code: ['FR'] },
    });
    expect(places.of('192.0.2.7')).toEqual({
      country: 'FR',
      region: 'Île-de-France',
      city: 'Paris',
      database,
    });
    expect(places.of('198.51.100.1')).toBeUndefined();
    expect(places.of('203.0.113.1')).toBeUndefined();
  });

  it('that is none ends the start with its name and the setting', () => {
    const path = join(directory, 'none.mmdb');
    writeFileSync(path, 'no database');
    expect(() => new Places(path)).toThrow(`PLACES_DATABASE: ${path} cannot be read`);
    expect(() => new Places(join(directory, 'absent'))).toThrow('PLACES_DATABASE');
  });
});
