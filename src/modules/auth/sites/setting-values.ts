// What may stand in a site's lists, each entry in its one spelling, so that intake compares and does
// not interpret. Undefined: it may not stand there.
import { isIP } from 'node:net';
import { normaliseDomain } from './domain.js';

const PAGE_PATTERN_CHARACTERS_MAX = 300;
/** Each doubles at most what an unlucky page costs. */
const PAGE_PATTERN_WILDCARDS_MAX = 5;
const QUERY_PARAMETER_CHARACTERS_MAX = 100;
const ADDRESS_BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };
const ANY_SUBDOMAIN = '*.';

/** A host, or `*.` before a domain for every host below it. */
export function normaliseHostPattern(text: string): string | undefined {
  const host = text.trim().replace(/^https?:\/\//i, '');
  if (!host.startsWith(ANY_SUBDOMAIN)) return normaliseDomain(host);
  const domain = normaliseDomain(host.slice(ANY_SUBDOMAIN.length));
  return domain === undefined || isIP(domain) !== 0 ? undefined : ANY_SUBDOMAIN + domain;
}

/** An IPv4 or IPv6 address, or a block of them in CIDR notation. */
export function normaliseAddressBlock(text: string): string | undefined {
  const [address, prefix, ...rest] = text.trim().toLowerCase().split('/');
  const bits = ADDRESS_BITS[isIP(address!)];
  // What IPv4 visitors are in IPv6 notation is compared as IPv4.
  if (bits === undefined || rest.length > 0 || address!.includes('%') || address!.startsWith('::ffff:')) {
    return undefined;
  }
  if (prefix === undefined) return address;
  if (!/^[1-9]\d{0,2}$/.test(prefix) || Number(prefix) > bits) return undefined;
  return `${address}/${prefix}`;
}

/** A path in which `*` stands for any characters but `/`, and `**` for any at all. Encoded as in URLs. */
export function normalisePagePattern(text: string): string | undefined {
  const pattern = text.trim().replace(/\*{3,}/g, '**');
  if (!pattern.startsWith('/') || /[\p{Cc}\p{Cs}?#]/u.test(pattern)) return undefined;
  if ((pattern.match(/\*+/g) ?? []).length > PAGE_PATTERN_WILDCARDS_MAX) return undefined;
  const encoded = pattern.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  return encoded.length > PAGE_PATTERN_CHARACTERS_MAX ? undefined : encoded;
}

/** ISO 3166-1 alpha-2; codes that were replaced, such as UK, become today's. */
export function normaliseCountry(text: string): string | undefined {
  const code = text.trim().toUpperCase();
  if (!/^[A-Z]{2}$/.test(code) || code === UNKNOWN_REGION) return undefined;
  const region = new Intl.Locale(`und-${code}`).region;
  return region !== undefined && REGIONS.of(region) !== undefined ? region : undefined;
}

/** As it stands in URLs. */
export function normaliseQueryParameter(text: string): string | undefined {
  const name = text.trim();
  return name.length <= QUERY_PARAMETER_CHARACTERS_MAX && /^[!$'()*+,\-./:;?@\w~%[\]]+$/.test(name)
    ? name
    : undefined;
}

const UNKNOWN_REGION = 'ZZ';
const REGIONS = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
