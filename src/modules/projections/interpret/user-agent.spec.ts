import type { ClientHints } from '../../../events/tracked-event.js';
import { createClientInterpreter } from './user-agent.js';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36';
const ANDROID =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Mobile Safari/537.36';
const IPAD =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15';
const GPTBOT =
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)';

describe('client', () => {
  const interpret = createClientInterpreter();

  it('names browser, system and device', () => {
    expect(interpret({ userAgent: CHROME, screen: '1920x1080', language: 'de-at' })).toEqual({
      browser: 'Chrome',
      browserVersion: '146',
      os: 'Windows',
      osVersion: '10',
      device: 'Desktop',
      screen: '1920x1080',
      language: 'de-AT',
      bot: false,
    });
  });

  it.each<[string, string, ClientHints, object]>([
    [
      'Windows 11',
      CHROME,
      { platform: '"Windows"', platformVersion: '"19.0.0"' },
      { os: 'Windows', osVersion: '11' },
    ],
    [
      'Brave',
      CHROME,
      { brands: '"Chromium";v="146", "Brave";v="146"' },
      { browser: 'Brave', osVersion: '10' },
    ],
    [
      'the Android there is',
      ANDROID,
      { platform: '"Android"', platformVersion: '"16.0.0"', mobile: '?1' },
      { osVersion: '16', device: 'Mobile' },
    ],
    ['no version that is not told', CHROME, { platform: '"Windows"' }, { os: 'Windows', osVersion: '10' }],
    [
      'Edge still',
      `${CHROME} Edg/146.0.0.0`,
      { brands: '"Chromium";v="146"' },
      { browser: 'Microsoft Edge' },
    ],
    [
      'an app still',
      ANDROID.replace('; K', '; K; wv'),
      { brands: '"Chromium";v="146"' },
      { browser: 'Android WebView' },
    ],
    [
      'an automated browser',
      CHROME,
      { brands: '"HeadlessChrome";v="146"' },
      { browser: 'HeadlessChrome', bot: true },
    ],
  ])('sees by client hints %s', (_, userAgent, clientHints, expected) => {
    expect(interpret({ userAgent, clientHints })).toMatchObject(expected);
  });

  it('knows an iPad by its screen', () => {
    expect(interpret({ userAgent: IPAD, screen: '820x1180' })).toMatchObject({
      os: 'iOS',
      osVersion: '26.1',
      device: 'Tablet',
    });
    expect(interpret({ userAgent: IPAD, screen: '1512x982' })).toMatchObject({
      os: 'macOS',
      device: 'Desktop',
    });
  });

  it('says of a bot which it is and what for', () => {
    expect(interpret({ userAgent: GPTBOT })).toMatchObject({
      browser: 'GPTBot',
      device: 'AI crawler',
      bot: true,
    });
    expect(interpret({ userAgent: 'SomeNewBot/1.0' })).toMatchObject({
      browser: null,
      device: 'Other',
      bot: true,
    });
  });

  it("takes who comes from a spammer's page for a bot, and nobody else for it", () => {
    const spammer = interpret({ userAgent: CHROME, referrer: 'https://semalt.com/' });
    expect(spammer).toMatchObject({ browser: 'Chrome', device: 'Referrer spam', bot: true });
    expect(interpret({ userAgent: CHROME, referrer: 'https://www.semalt.com/x' })).toBe(spammer);
    expect(interpret({ userAgent: CHROME, referrer: 'https://example.com/' })).toMatchObject({ bot: false });
  });

  it('knows nothing of a client without a user agent, and does not call it a bot', () => {
    expect(interpret({})).toMatchObject({ browser: null, os: null, device: null, bot: false });
  });

  it('gives equal clients the same object, and others others', () => {
    const hints = { platform: '"Windows"', platformVersion: '"19.0.0"' };
    expect(interpret({ userAgent: CHROME, clientHints: hints })).toBe(
      interpret({ userAgent: CHROME, clientHints: { ...hints } }),
    );
    expect(interpret({ userAgent: CHROME, clientHints: hints })).not.toBe(interpret({ userAgent: CHROME }));
  });
});
