import { createClientInterpreter } from './user-agent.1.js';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.71 Safari/537.36';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1';

describe('client', () => {
  const interpret = createClientInterpreter();

  it('names browser, system and device', () => {
    expect(interpret({ userAgent: CHROME, screen: '1920x1080', language: 'de-AT' })).toEqual({
      browser: 'Chrome',
      browserVersion: '120',
      os: 'Windows',
      osVersion: '10',
      device: 'Desktop',
      screen: '1920x1080',
      language: 'de-AT',
      bot: false,
    });
    expect(interpret({ userAgent: IPHONE })).toMatchObject({
      browser: 'Safari',
      os: 'iOS',
      osVersion: '17.1',
      device: 'Mobile',
      bot: false,
    });
  });

  it.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'curl/8.4.0',
    'UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/',
  ])('flags %s as a bot', (userAgent) => {
    expect(interpret({ userAgent }).bot).toBe(true);
  });

  it('knows nothing of a client without a user agent, and does not call it a bot', () => {
    expect(interpret({})).toMatchObject({ browser: null, os: null, device: null, bot: false });
  });

  it('gives equal strings the same object', () => {
    expect(interpret({ userAgent: CHROME })).toBe(interpret({ userAgent: CHROME }));
  });
});
