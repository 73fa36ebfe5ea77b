import { hintedBy } from './client-hints.js';

const CHROME = '"Chromium";v="146", "Google Chrome";v="146", "Not-A.Brand";v="99"';

describe('client hints', () => {
  it.each([
    [CHROME, 'Chrome', '146'],
    ['"Not(A:Brand";v="8", "Chromium";v="146", "Brave";v="146"', 'Brave', '146'],
    [
      '"Microsoft Edge";v="146.0.3856.62", "Chromium";v="146.0.7680.80", "Not-A.Brand";v="99.0.0.0"',
      'Microsoft Edge',
      '146',
    ],
    ['"Opera GX";v="128", "Chromium";v="144", "Not-A.Brand";v="24"', 'Opera GX', '128'],
    ['"Chromium";v="146", "Not \\"A\\\\;Brand";v="99"', 'Chromium', '146'],
  ])('name the browser: %s', (brands, name, version) => {
    expect(hintedBy({ brands }).browser).toEqual({ name, version });
    expect(hintedBy({ brands: '"Chromium";v="1"', fullVersions: brands }).browser).toEqual({ name, version });
  });

  it.each(['', 'Chrome 146', '"Nobody";v="1"', '"Google Chrome";v="x"', '"'.repeat(256)])(
    'name none where there is none: %j',
    (brands) => {
      expect(hintedBy({ brands }).browser).toBeNull();
    },
  );

  it.each([
    ['"Windows"', '"19.0.0"', 'Windows', '11'],
    ['"Windows"', '"13.0.0"', 'Windows', '11'],
    ['"Windows"', '"10.0.0"', 'Windows', '10'],
    ['"Windows"', '"0.3.0"', 'Windows', '8.1'],
    ['"Windows"', undefined, 'Windows', null],
    ['"macOS"', '"26.1.0"', 'macOS', '26.1'],
    ['"macOS"', '"15.0.0"', 'macOS', '15'],
    ['"Android"', '"16.0.0"', 'Android', '16'],
    ['"Linux"', '"6.8.0"', 'Linux', null],
    ['"Chrome OS"', '"16093.68.0"', 'ChromeOS', '16093.68'],
  ])('tell the system: %s %s', (platform, platformVersion, name, version) => {
    expect(hintedBy({ platform, platformVersion }).os).toEqual({ name, version });
  });

  it('tell a telephone from a tablet, and who has no eyes', () => {
    expect(hintedBy({ mobile: '?1' }).device).toBe('Mobile');
    expect(hintedBy({ mobile: '?0', platform: '"Android"' }).device).toBe('Tablet');
    expect(hintedBy({ mobile: '?0', platform: '"Windows"' }).device).toBeNull();
    expect(hintedBy({ brands: '"HeadlessChrome";v="146"' }).bot).toMatchObject({ name: 'HeadlessChrome' });
    expect(hintedBy({}).os).toBeNull();
  });
});
