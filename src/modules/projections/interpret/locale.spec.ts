import { languageOf, screenOf } from './locale.js';

it.each([
  ['de', 'de'],
  ['de-at', 'de-AT'],
  ['EN_us', 'en-US'],
  ['zh-hant-tw', 'zh-Hant-TW'],
  ['es-419', 'es-419'],
  [' fr ', 'fr'],
  ['C.UTF-8', 'C.UTF-8'],
  ['', null],
  [undefined, null],
])('spells the language %j as %j', (given, shown) => {
  expect(languageOf(given)).toBe(shown);
});

it.each([
  ['1920x1080', '1920x1080'],
  ['1920 x 1080', '1920x1080'],
  ['1920×1080', '1920x1080'],
  ['1920X1080x24', '1920x1080'],
  ['large', 'large'],
  ['', null],
  [undefined, null],
])('spells the screen %j as %j', (given, shown) => {
  expect(screenOf(given)).toBe(shown);
});
