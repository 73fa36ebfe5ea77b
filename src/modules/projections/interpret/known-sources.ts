// Which source of traffic a host, an app or a campaign's tag belongs to, and what kind of thing that is.
import { getDomain } from 'tldts';
import { ANDROID_APPS } from './android-apps.js';
import { MINOR_SOURCES } from './minor-sources.js';
import { type SourceKind, SOURCES } from './named-sources.js';

export interface KnownSource {
  readonly name: string;
  readonly kind: SourceKind;
}

const BY_HOST = new Map<string, KnownSource>();
const BY_APP = new Map<string, KnownSource>();
const BY_LABEL = new Map<string, KnownSource>();
const BY_TAG = new Map<string, KnownSource>();

/** Hosts that mailboxes are read at, whoever's they are. */
const WEBMAIL = /^(?:(?:web|e-?|ex|m)?mail\d*|mailbox|roundcube|zimbra|owa|messagerie|poczta)\./;

/** A label that is shorter could be any word. */
const TAG_CHARS_MIN = 5;

for (const kind of Object.keys(SOURCES) as SourceKind[]) {
  for (const [name, words] of Object.entries(SOURCES[kind])) {
    const source: KnownSource = { name, kind };
    BY_TAG.set(name.toLowerCase(), source);
    for (const word of words.split(' ')) {
      if (word.endsWith('.*')) {
        BY_LABEL.set(word.slice(0, -2), source);
        BY_TAG.set(word.slice(0, -2), source);
      } else (word.includes('.') ? BY_HOST : BY_TAG).set(word, source);
    }
  }
}

for (const kind of Object.keys(MINOR_SOURCES) as (keyof typeof MINOR_SOURCES)[]) {
  for (const host of MINOR_SOURCES[kind].trim().split(/\s+/)) {
    const source: KnownSource = { name: host, kind };
    const label = host.slice(0, host.indexOf('.'));
    BY_HOST.set(host, source);
    if (label.length >= TAG_CHARS_MIN && !BY_TAG.has(label)) BY_TAG.set(label, source);
  }
}

for (const [name, apps] of Object.entries(ANDROID_APPS)) {
  const source = BY_TAG.get(name.toLowerCase());
  if (source === undefined) throw new Error(`There is no source ${name} that an app could belong to`);
  for (const app of apps.split(' ')) BY_APP.set(app, source);
}

/** @param app its id, as in android-app://com.google.android.gm */
export const sourceOfApp = (app: string): KnownSource | undefined => BY_APP.get(app);

/** @param host lower case, without port */
export function sourceOfHost(host: string): KnownSource | undefined {
  const domain = getDomain(host, { allowPrivateDomains: false });
  if (domain === null) return undefined;
  for (let own = host; ; own = own.slice(own.indexOf('.') + 1)) {
    const source = BY_HOST.get(own);
    if (source !== undefined) return source;
    if (own.length <= domain.length) break;
  }
  if (host !== domain && WEBMAIL.test(host)) return { name: host, kind: 'email' };
  return BY_LABEL.get(domain.slice(0, domain.indexOf('.')));
}

/** @param tag lower case, as in utm_source: a short name or a host */
export const sourceOfTag = (tag: string): KnownSource | undefined =>
  BY_TAG.get(tag) ?? (tag.includes('.') ? sourceOfHost(tag) : undefined);
