import { operatingSystemOf } from './operating-systems.js';

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'Windows', '10'],
  ['Mozilla/5.0 (Windows NT 6.1; WOW64)', 'Windows', '7'],
  ['Mozilla/4.0 (compatible; MSIE 6.0; Windows 98)', 'Windows', '98'],
  ['Mozilla/5.0 (Windows NT x.y; rv:10.0) Gecko/20100101 Firefox/10.0', 'Windows', null],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One)', 'Xbox', null],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', 'macOS', '10.15'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X)', 'iOS', '17.1'],
  ['Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X)', 'iOS', '12.2'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.1 Mobile/15E148 Safari/604.1',
    'iOS',
    '26.1',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1',
    'iOS',
    '18.6',
  ],
  ['Mozilla/5.0 (Linux; Android 16; Pixel 10)', 'Android', '16'],
  ['Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00)', 'HarmonyOS', null],
  ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)', 'ChromeOS', '14541.0'],
  ['Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Linux', null],
  ['Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0)', 'Tizen', '7.0'],
  ['Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5', 'KaiOS', '2.5'],
])('%s runs on %s %s', (userAgent, name, version) => {
  expect(operatingSystemOf(userAgent)).toEqual({ name, version });
});

it.each(['', 'curl/8.4.0', 'Winamp/5'])('knows nothing of %j', (userAgent) => {
  expect(operatingSystemOf(userAgent)).toBeNull();
});
