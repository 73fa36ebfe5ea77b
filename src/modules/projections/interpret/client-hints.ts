// What a browser says of itself in client hints (Sec-CH-UA-…), where its user-agent string is reduced or says
// another's name: the true version of Windows, macOS and Android, and Brave among the Chromes.
import type { ClientHints } from '../../../events/tracked-event.js';
import type { Bot } from './bots.js';
import type { NamedVersion } from './browsers.js';

/** What is not said is null. */
export interface Hinted {
  readonly browser: NamedVersion | null;
  readonly os: NamedVersion | null;
  readonly device: 'Mobile' | 'Tablet' | null;
  /** It says of itself that nobody looks at what it shows. */
  readonly bot: Bot | null;
}

/** Brands in their order of worth: whoever says another beside these is the other. */
const BRANDS = new Map([
  ['Brave', 'Brave'],
  ['Microsoft Edge', 'Microsoft Edge'],
  ['Opera', 'Opera'],
  ['Opera GX', 'Opera GX'],
  ['Opera Mini', 'Opera Mini'],
  ['OperaMobile', 'Opera'],
  ['Vivaldi', 'Vivaldi'],
  ['Samsung Internet', 'Samsung Internet'],
  ['Yandex', 'Yandex Browser'],
  ['YaBrowser', 'Yandex Browser'],
  ['Whale', 'Whale'],
  ['DuckDuckGo', 'DuckDuckGo'],
  ['Avast Secure Browser', 'Avast Secure Browser'],
  ['AVG Secure Browser', 'AVG Secure Browser'],
  ['CocCoc', 'Cốc Cốc'],
  ['Oculus Browser', 'Meta Quest Browser'],
  ['HuaweiBrowser', 'Huawei Browser'],
  ['MiuiBrowser', 'MIUI Browser'],
  ['Android WebView', 'Android WebView'],
  ['Google Chrome', 'Chrome'],
  ['Chromium', 'Chromium'],
]);

const RANK = new Map([...BRANDS.keys()].map((brand, rank) => [brand, rank]));
const BRAND = /"((?:[^"\\]|\\.)*)"\s*;\s*v="(\d{1,6})/g;

const PLATFORMS = new Map([
  ['Windows', 'Windows'],
  ['macOS', 'macOS'],
  ['Mac OS X', 'macOS'],
  ['Android', 'Android'],
  ['Chrome OS', 'ChromeOS'],
  ['Chromium OS', 'ChromeOS'],
  ['Linux', 'Linux'],
  ['iOS', 'iOS'],
  ['Fuchsia', 'Fuchsia'],
]);

/** From this number on Windows says of itself that it is 11. */
const WINDOWS_11 = 13;

const HEADLESS: Bot = { name: 'HeadlessChrome', kind: 'Browser automation' };

export function hintedBy(hints: ClientHints): Hinted {
  const brands = hints.fullVersions ?? hints.brands;
  const os = systemOf(hints);
  return {
    browser: browserOf(brands),
    os,
    device:
      hints.mobile === '?1' ? 'Mobile' : hints.mobile === '?0' && os?.name === 'Android' ? 'Tablet' : null,
    bot: brands?.includes('"HeadlessChrome"') ? HEADLESS : null,
  };
}

/** Of all brands the one that says most; made-up ones, there to be ignored, are in no list. */
function browserOf(list: string | undefined): NamedVersion | null {
  if (list === undefined) return null;
  let best: NamedVersion | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const [, brand, version] of list.matchAll(BRAND)) {
    const rank = RANK.get(brand!);
    if (rank === undefined || rank >= bestRank) continue;
    bestRank = rank;
    best = { name: BRANDS.get(brand!)!, version: version! };
  }
  return best;
}

function systemOf({ platform, platformVersion }: ClientHints): NamedVersion | null {
  const name = PLATFORMS.get(unquoted(platform));
  if (name === undefined) return null;
  const [major = '', minor = ''] = unquoted(platformVersion).split('.');
  if (!/^\d{1,6}$/.test(major)) return { name, version: null };
  if (name === 'Windows') return { name, version: windowsVersion(Number(major), minor) };
  // A desktop Linux has no version to tell.
  if (name === 'Linux') return { name, version: null };
  return { name, version: /^[1-9]\d{0,5}$/.test(minor) ? `${major}.${minor}` : major };
}

/** Windows 10 and later count otherwise here than anywhere else; before it came 0.1, 0.2 and 0.3. */
function windowsVersion(major: number, minor: string): string | null {
  if (major >= WINDOWS_11) return '11';
  if (major > 0) return '10';
  return { '1': '7', '2': '8', '3': '8.1' }[minor] ?? null;
}

const unquoted = (text: string | undefined): string => text?.replaceAll('"', '').trim() ?? '';
