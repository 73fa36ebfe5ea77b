// A site's domain in the one spelling that is claimed, stored and looked up: lower case, Punycode,
// without scheme, `www.` or final dot. Refuses whatever is not a host name.
import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const DOMAIN_CHARACTERS_MAX = 253;

/** For what is a domain already, as on the hot path: only case and `www.` may differ. */
export function domainKey(domain: string): string {
  const lower = domain.toLowerCase();
  return lower.startsWith('www.') ? lower.slice('www.'.length) : lower;
}

/** Undefined: no host name, or more than one, such as a URL with a path or a port. */
export function normaliseDomain(text: string): string | undefined {
  const host = text
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/$/, '');
  if (host.length > DOMAIN_CHARACTERS_MAX || /[^\p{L}\p{M}\p{N}.-]/u.test(host)) return undefined;
  // Only where there is something to encode: it would also read 1.2.3 as the address 1.2.0.3.
  const ascii = /^[\x20-\x7e]*$/.test(host) ? host : domainToASCII(host);
  const domain = domainKey(ascii.replace(/\.$/, ''));
  if (domain.length > DOMAIN_CHARACTERS_MAX) return undefined;
  const labels = domain.split('.');
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  if (labels.length === 1) return domain === 'localhost' ? domain : undefined;
  const numeric = /^\d+$/.test(labels.at(-1)!);
  return !numeric || isIPv4(domain) ? domain : undefined;
}
