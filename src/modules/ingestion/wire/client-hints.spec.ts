import { clientHintsOf } from './client-hints.js';

const BRANDS = '"Chromium";v="146", "Google Chrome";v="146", "Not-A.Brand";v="99"';

describe('client hints', () => {
  it('are what Chrome sends with every request', () => {
    const headers = { 'sec-ch-ua': BRANDS, 'sec-ch-ua-mobile': '?0', 'sec-ch-ua-platform': '"Windows"' };
    expect(JSON.parse(JSON.stringify(clientHintsOf(headers)))).toEqual({
      brands: BRANDS,
      platform: '"Windows"',
      mobile: '?0',
    });
  });

  it('are more where the page asks for more, and say nothing twice', () => {
    const headers = {
      'sec-ch-ua': BRANDS,
      'sec-ch-ua-full-version-list': '"Chromium";v="146.0.7680.80"',
      'sec-ch-ua-platform': '"Android"',
      'sec-ch-ua-platform-version': '"16.0.0"',
      'sec-ch-ua-model': '"Pixel 10"',
    };
    expect(clientHintsOf(headers)).toEqual({
      brands: undefined,
      fullVersions: '"Chromium";v="146.0.7680.80"',
      platform: '"Android"',
      platformVersion: '"16.0.0"',
      mobile: undefined,
      model: '"Pixel 10"',
    });
  });

  it('are nothing where nothing is said, or too much', () => {
    expect(clientHintsOf({ 'user-agent': 'Firefox', 'sec-ch-ua-mobile': '?0' })).toBeUndefined();
    expect(clientHintsOf({ 'sec-ch-ua': '"x"'.repeat(100) })).toBeUndefined();
    expect(clientHintsOf({ 'sec-ch-ua': '' })).toBeUndefined();
  });
});
