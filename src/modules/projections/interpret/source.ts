// Where a visit came from: utm_source, else source, else ref, else the referrer, under the name
// people know it by. The site's own host is no referrer.
import { LRUCache } from 'lru-cache';
import { getDomain } from 'tldts';
import { pageOf, withoutWww } from './page.js';
import { DIRECT, type Origin } from '../visit-event.js';

const REMEMBERED_MAX = 20_000;
const REMEMBERED_CHARS_MAX = 4_000_000;

/** By registrable domain without its public suffix (so `google` covers google.com and google.co.uk). */
const BY_NAME = new Map(
  Object.entries({
    google: 'Google',
    bing: 'Bing',
    duckduckgo: 'DuckDuckGo',
    yahoo: 'Yahoo!',
    yandex: 'Yandex',
    baidu: 'Baidu',
    ecosia: 'Ecosia',
    qwant: 'Qwant',
    startpage: 'Startpage',
    naver: 'Naver',
    facebook: 'Facebook',
    instagram: 'Instagram',
    linkedin: 'LinkedIn',
    twitter: 'Twitter',
    reddit: 'Reddit',
    pinterest: 'Pinterest',
    youtube: 'YouTube',
    tiktok: 'TikTok',
    whatsapp: 'WhatsApp',
    telegram: 'Telegram',
    github: 'GitHub',
    wikipedia: 'Wikipedia',
    stackoverflow: 'Stack Overflow',
    medium: 'Medium',
    quora: 'Quora',
    chatgpt: 'ChatGPT',
    perplexity: 'Perplexity',
  }),
);

/** Whole domains, and the short names that campaigns and apps use. */
const BY_ALIAS = new Map(
  Object.entries({
    't.co': 'Twitter',
    'x.com': 'Twitter',
    'lnkd.in': 'LinkedIn',
    'fb.com': 'Facebook',
    'fb.me': 'Facebook',
    fb: 'Facebook',
    ig: 'Instagram',
    'youtu.be': 'YouTube',
    'redd.it': 'Reddit',
    't.me': 'Telegram',
    'wa.me': 'WhatsApp',
    'ycombinator.com': 'Hacker News',
    'live.com': 'Microsoft',
    'openai.com': 'ChatGPT',
    'claude.ai': 'Claude',
    'ya.ru': 'Yandex',
  }),
);

/** A lookup that remembers, so that equal origins share one object. */
export function createOriginInterpreter(): (url: string | undefined, referrer: string | undefined) => Origin {
  const remembered = new LRUCache<string, Origin>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_CHARS_MAX,
    sizeCalculation: (_, key) => key.length,
  });
  return (url, referrer) => {
    const { hostname, query } = pageOf(url);
    const external = externalReferrer(referrer, hostname);
    if (query === '' && external === null) return DIRECT;
    const key = `${query}\n${external ?? ''}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const origin = interpretOrigin(query, external);
    remembered.set(key, origin);
    return origin;
  };
}

function interpretOrigin(query: string, referrer: string | null): Origin {
  const parameters = new URLSearchParams(query);
  const named = (name: string): string | null => parameters.get(name)?.trim() || null;
  const utmSource = named('utm_source');
  const tagged = utmSource ?? named('source') ?? named('ref');
  const origin: Origin = {
    referrer,
    source: tagged === null ? sourceOfReferrer(referrer) : sourceOfTag(tagged),
    utmSource,
    utmMedium: named('utm_medium'),
    utmCampaign: named('utm_campaign'),
    utmContent: named('utm_content'),
    utmTerm: named('utm_term'),
  };
  return Object.values(origin).every((value) => value === null) ? DIRECT : origin;
}

/** Host without `www.` plus path, as it is shown; null when it is the page's own host. */
function externalReferrer(referrer: string | undefined, ownHostname: string | null): string | null {
  const { hostname, path } = pageOf(referrer);
  if (hostname === null || hostname === '') return null;
  const host = withoutWww(hostname);
  if (ownHostname !== null && host === withoutWww(ownHostname)) return null;
  return path === '/' || path === null ? host : host + path;
}

function sourceOfReferrer(referrer: string | null): string | null {
  if (referrer === null) return null;
  const slash = referrer.indexOf('/');
  const host = slash < 0 ? referrer : referrer.slice(0, slash);
  return knownName(host) ?? host;
}

function sourceOfTag(tag: string): string {
  const lower = tag.toLowerCase();
  return (
    BY_ALIAS.get(lower) ?? BY_NAME.get(lower) ?? (lower.includes('.') ? knownName(lower) : undefined) ?? tag
  );
}

function knownName(host: string): string | undefined {
  const domain = getDomain(host, { allowPrivateDomains: false });
  if (domain === null) return undefined;
  return BY_ALIAS.get(domain) ?? BY_NAME.get(domain.slice(0, domain.indexOf('.')));
}
