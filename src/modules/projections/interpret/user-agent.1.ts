// Browser, operating system, device and bot from the user-agent string. Kept out of intake so
// that a better table repairs all history at the next rebuild.
import Bowser from 'bowser';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import type { Client } from '../visit-event.js';

const REMEMBERED_MAX = 20_000;

const DEVICES = new Map([
  ['desktop', 'Desktop'],
  ['mobile', 'Mobile'],
  ['tablet', 'Tablet'],
  ['tv', 'TV'],
]);

export interface ClientStrings {
  readonly userAgent?: string;
  readonly screen?: string;
  readonly language?: string;
}

/** A lookup that remembers: parsing costs 10 µs, and equal strings must share one object. */
export function createClientInterpreter(): (strings: ClientStrings) => Client {
  const remembered = new LRUCache<string, Client>({ max: REMEMBERED_MAX });
  return (strings) => {
    const key = `${strings.userAgent ?? ''}\n${strings.screen ?? ''}\n${strings.language ?? ''}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const client = interpretClient(strings);
    remembered.set(key, client);
    return client;
  };
}

function interpretClient({ userAgent, screen, language }: ClientStrings): Client {
  const named = { screen: screen ?? null, language: language ?? null };
  if (!userAgent) {
    return {
      browser: null,
      browserVersion: null,
      os: null,
      osVersion: null,
      device: null,
      ...named,
      bot: false,
    };
  }
  const parsed = Bowser.parse(userAgent);
  return {
    browser: parsed.browser.name || null,
    browserVersion: firstNumbers(parsed.browser.version, 1),
    os: parsed.os.name || null,
    // Windows calls its versions by other names than it numbers them.
    osVersion:
      parsed.os.name === 'Windows' ? (parsed.os.versionName ?? null) : firstNumbers(parsed.os.version, 2),
    device: DEVICES.get(parsed.platform.type ?? '') ?? null,
    ...named,
    bot: isbot(userAgent),
  };
}

function firstNumbers(version: string | undefined, count: number): string | null {
  if (!version) return null;
  return version.split('.').slice(0, count).join('.') || null;
}
