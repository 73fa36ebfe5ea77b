// The operating system, by the words of the user-agent string. Strings of today are reduced: Chrome calls every
// Windows 10, every Android 10 and every Mac 10.15, whatever they are; client hints know better.
import type { NamedVersion } from './browsers.js';

type Rule = readonly [name: string, pattern: RegExp];

/** Those that say another's name as well come before it. */
const RULES: readonly Rule[] = [
  ['Xbox', /\bXbox\b/],
  ['Windows Phone', /\bWindows Phone(?: OS)?(?: (\d+(?:\.\d+)?))?/],
  ['Windows Mobile', /\bWindows (?:CE|Mobile)\b(?:[ /](\d+(?:\.\d+)?))?/],
  ['HarmonyOS', /\b(?:HarmonyOS|OpenHarmony)(?:[ /](\d+(?:\.\d+)?))?/],
  ['Tizen', /\bTizen(?:[ /](\d+(?:\.\d+)?))?/],
  ['webOS', /\b(?:hpwOS|webOS|Web0S)\b(?:[ /.]?(?:TV-)?(\d+(?:\.\d+)?))?/],
  ['KaiOS', /\bKAIOS\/(\d+(?:\.\d+)?)/i],
  ['Sailfish OS', /\bSailfish(?: (\d+(?:\.\d+)?))?/],
  [
    'BlackBerry',
    /\bBB10\b.*\bVersion\/(\d+(?:\.\d+)?)|\bRIM Tablet OS (\d+(?:\.\d+)?)|\bBlackBerry\w*(?:\/(\d+(?:\.\d+)?))?/,
  ],
  ['Bada', /\bBada\/(\d+(?:\.\d+)?)/],
  ['MeeGo', /\bMeeGo\b/],
  ['Symbian', /\bSymbian(?:OS)?(?:\/(\d+(?:\.\d+)?))?|\bSeries ?60\b/i],
  ['Series 40', /\bSeries ?40\b/],
  ['Roku', /\bRoku\/(?:DVP-)?(\d+(?:\.\d+)?)/],
  ['tvOS', /\b(?:Apple ?TV|tvOS)\b(?:.*?\bOS (\d+(?:[._]\d+)?))?/],
  ['watchOS', /\bwatchOS(?:\/(\d+(?:\.\d+)?))?|\bWatch OS[ /](\d+(?:\.\d+)?)/],
  ['visionOS', /\bvisionOS(?:[ /](\d+(?:\.\d+)?))?/i],
  [
    'iOS',
    /\b(?:iPhone|iPad|iPod)\b.*?\bOS (\d+(?:[._]\d+)?)|\b(?:iPhone|iPad|iPod)\b|\biOS[ /](\d+(?:\.\d+)?)/,
  ],
  ['Android', /\bAndroid\b(?:[ /-](\d+(?:\.\d+)?))?|\bAdr (\d+(?:\.\d+)?)/],
  ['ChromeOS', /\bCrOS \w+ (\d+(?:\.\d+)?)/],
  ['Fuchsia', /\bFuchsia\b/],
  ['PlayStation', /\bPlayStation\b(?: (?:Portable|Vita|\d))?[ /;]*(\d+\.\d+)?|\bPLAYSTATION (\d+)/],
  ['Nintendo', /\bNintendo\b/],
  ['Haiku', /\bHaiku\b|\bBeOS\b/],
  ['macOS', /\bMac OS X (\d+(?:[._]\d+)?)/],
  ['macOS', /\bMac(?:intosh| OS|_PowerPC)\b|\bDarwin\b/],
  ['FreeBSD', /\b(?:FreeBSD|GhostBSD|DragonFly)\b/],
  ['OpenBSD', /\bOpenBSD\b/],
  ['NetBSD', /\bNetBSD\b/],
  ['Solaris', /\bSunOS\b/],
  ['Firefox OS', /^Mozilla\/5\.0 \((?:Mobile|Tablet|TV);.*\brv:[\d.]+\) Gecko\/.*Firefox\//],
  [
    'Linux',
    /\b(?:Linux|Ubuntu|Debian|Fedora|Manjaro|CentOS|Raspbian|Gentoo|Slackware|Red ?Hat|Zenwalk|Arch)\b/i,
  ],
  ['Unix', /\b(?:X11|Unix|AIX|HP-UX|IRIX)\b/],
];

const WINDOWS = /\bWindows(?: NT (\d+\.\d+)| (95|98|ME|2000|XP|Vista)\b)?|\bWin(?:32|NT|95|98|ME)\b|\bWin 9x/;

/** Windows calls its versions by other names than it numbers them. */
const WINDOWS_NAMES = new Map([
  ['10.0', '10'],
  ['6.4', '10'],
  ['6.3', '8.1'],
  ['6.2', '8'],
  ['6.1', '7'],
  ['6.0', 'Vista'],
  ['5.2', 'XP'],
  ['5.1', 'XP'],
  ['5.0', '2000'],
  ['4.0', 'NT'],
]);

/** Since Safari 26 the string stands still at iOS 18, while Safari's version goes on with the system's. */
const SAFARI_OF_FROZEN_IOS = /\bOS 18_\d.*\bVersion\/(\d+\.\d+)/;
const FROZEN_FROM_SAFARI = 26;

/** Null: none that has a name here. */
export function operatingSystemOf(userAgent: string): NamedVersion | null {
  const isWindows = userAgent.includes('Win');
  for (const [name, pattern] of RULES) {
    const match = pattern.exec(userAgent);
    if (match === null) continue;
    const version = (match[1] ?? match[2] ?? match[3] ?? null)?.replace('_', '.') ?? null;
    return name === 'iOS' ? { name, version: iosVersion(userAgent, version) } : { name, version };
  }
  const windows = isWindows ? WINDOWS.exec(userAgent) : null;
  if (windows === null) return null;
  const [, number, named] = windows;
  return {
    name: 'Windows',
    version: number === undefined ? (named ?? null) : (WINDOWS_NAMES.get(number) ?? null),
  };
}

function iosVersion(userAgent: string, said: string | null): string | null {
  const safari = SAFARI_OF_FROZEN_IOS.exec(userAgent)?.[1];
  return safari !== undefined && Number.parseInt(safari, 10) >= FROZEN_FROM_SAFARI ? safari : said;
}
