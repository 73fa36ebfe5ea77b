import { deviceOf, isIpadAsMac } from './devices.js';

const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15';

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'Desktop'],
  [MAC, 'Desktop'],
  ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)', 'Desktop'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X)', 'Mobile'],
  ['Mozilla/5.0 (Linux; Android 10; K) Chrome/146.0.0.0 Mobile Safari/537.36', 'Mobile'],
  ['Mozilla/5.0 (Linux; Android 10; K) Chrome/146.0.0.0 Safari/537.36', 'Tablet'],
  ['Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X)', 'Tablet'],
  ['Mozilla/5.0 (Linux; Android 9; KFMAWI) Silk/120.1 like Chrome/120.0 Safari/537.36', 'Tablet'],
  ['Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) SamsungBrowser/5.0 TV Safari/537.36', 'TV'],
  ['Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0 Safari/537.36', 'TV'],
  ['Mozilla/5.0 (PlayStation; PlayStation 5/8.00) Version/13.0 Safari/605.1.15', 'Console'],
  ['Mozilla/5.0 (Linux; Android 12; Quest 3) OculusBrowser/35.0 VR Safari/537.36', 'Wearable'],
  ['Mozilla/5.0 (X11; GNU/Linux) Chromium/79.0 Tesla/2020.16.2.1', 'Car'],
  ['Mozilla/5.0', null],
])('%s is a %s', (userAgent, device) => {
  expect(deviceOf(userAgent)).toBe(device);
});

it.each([
  [MAC, '820x1180', true],
  [MAC, '1180x820', true],
  [MAC, '1440x900', false],
  [MAC, '1024x768', false],
  [MAC, null, false],
  [MAC.replace('Version/26.1', 'Chrome/146.0.0.0'), '820x1180', false],
])('tells an iPad that says it is a Mac by its screen: %s at %s, %s', (userAgent, screen, expected) => {
  expect(isIpadAsMac(userAgent, screen)).toBe(expected);
});
