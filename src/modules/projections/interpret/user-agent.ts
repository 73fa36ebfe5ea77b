// Browser, operating system, device and bot of a client: from its user-agent string, from its client hints where
// they know better, and from where it says to come from if that is a spammer's page. Kept out of intake so that a
// better table repairs all history at the next rebuild.
//
// A bot's row says in `browser` which bot it is and in `device` what for: sessions of every definition have the
// same columns, and one question asks them all (docs/adr/0042).
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { LRUCache } from 'lru-cache';
import type { Client } from '../visit-event.js';
import { type Bot, botOf } from './bots.js';
import { browserOf, type NamedVersion } from './browsers.js';
import { type Hinted, hintedBy } from './client-hints.js';
import { deviceOf, isIpadAsMac } from './devices.js';
import { languageOf, screenOf } from './locale.js';
import { operatingSystemOf } from './operating-systems.js';
import { isSpamReferrer } from './referrer-spam.js';

const REMEMBERED_MAX = 20_000;
const REMEMBERED_CHARS_MAX = 8_000_000;

export type ClientFacts = Pick<
  TrackedEvent,
  'userAgent' | 'clientHints' | 'screen' | 'language' | 'referrer'
>;

/** A lookup that remembers: reading a string costs some 10 µs, and equal ones must share one object. */
export function createClientInterpreter(): (facts: ClientFacts) => Client {
  const remembered = new LRUCache<string, Client>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_CHARS_MAX,
    sizeCalculation: (_, key) => key.length,
  });
  const spam = createSpamInterpreter();
  return (facts) => {
    const key = keyOf(facts);
    let client = remembered.get(key);
    if (client === undefined) {
      client = interpretClient(facts);
      remembered.set(key, client);
    }
    return spam(client, facts.referrer);
  };
}

/** Whoever sends a spammer's page for a referrer is a program that wants to be seen in reports. */
function createSpamInterpreter(): (client: Client, referrer: string | undefined) => Client {
  const spammers = new WeakMap<Client, Client>();
  return (client, referrer) => {
    if (referrer === undefined || client.bot || !isSpamReferrer(referrer)) return client;
    let spammer = spammers.get(client);
    if (spammer === undefined) {
      spammer = { ...client, device: REFERRER_SPAM, bot: true };
      spammers.set(client, spammer);
    }
    return spammer;
  };
}

const REFERRER_SPAM = 'Referrer spam';

function keyOf({ userAgent, clientHints: hints, screen, language }: ClientFacts): string {
  const own = `${userAgent ?? ''}\n${screen ?? ''}\n${language ?? ''}`;
  if (hints === undefined) return own;
  const system = `${hints.platform ?? ''}\n${hints.platformVersion ?? ''}\n${hints.mobile ?? ''}`;
  return `${own}\n${hints.fullVersions ?? hints.brands ?? ''}\n${system}`;
}

const NOTHING_HINTED: Hinted = { browser: null, os: null, device: null, bot: null };

function interpretClient({ userAgent = '', clientHints, screen, language }: ClientFacts): Client {
  const hinted = clientHints === undefined ? NOTHING_HINTED : hintedBy(clientHints);
  const shown = { screen: screenOf(screen), language: languageOf(language) };
  const bot = hinted.bot ?? (userAgent === '' ? null : botOf(userAgent));
  const os = systemOf(userAgent, hinted, shown.screen);
  const system = { os: os?.name ?? null, osVersion: os?.version ?? null };
  if (bot !== null) return { ...namesOf(bot), ...system, ...shown, bot: true };
  const browser = programOf(userAgent, hinted.browser);
  return {
    browser: browser?.name ?? null,
    browserVersion: browser?.version ?? null,
    ...system,
    device: isIpadAsMac(userAgent, shown.screen) ? 'Tablet' : (deviceOf(userAgent) ?? hinted.device),
    ...shown,
    bot: false,
  };
}

const namesOf = ({ name, kind }: Bot): Pick<Client, 'browser' | 'browserVersion' | 'device'> => ({
  browser: name,
  browserVersion: null,
  device: kind,
});

/** What every other browser on the same engine says, too: a name of its own is worth more, from either side. */
const ENGINES_OWN = new Set(['Chrome', 'Chromium', 'Android WebView', 'Android Browser']);

function programOf(userAgent: string, hinted: NamedVersion | null): NamedVersion | null {
  const said = browserOf(userAgent);
  if (hinted === null || said === null) return said ?? hinted;
  if (!ENGINES_OWN.has(said.name)) return said;
  // Within an app the string knows that it is one; the hints may say no more than the engine's name.
  return said.name.startsWith('Android') && ENGINES_OWN.has(hinted.name) ? said : hinted;
}

/** Strings of these are reduced, or say what the desktop's would. */
const REDUCED = new Set(['Windows', 'macOS', 'Linux', 'Android', 'ChromeOS']);

function systemOf(userAgent: string, { os: hinted }: Hinted, screen: string | null): NamedVersion | null {
  const said = operatingSystemOf(userAgent);
  if (isIpadAsMac(userAgent, screen)) {
    return { name: 'iOS', version: /\bVersion\/(\d+\.\d+)/.exec(userAgent)?.[1] ?? null };
  }
  if (hinted === null || said === null) return said ?? hinted;
  if (!REDUCED.has(said.name)) return said;
  return hinted.name === said.name && hinted.version === null ? said : hinted;
}
