// IP addresses as text: one spelling for each, so that a visitor has one id, and whether they lie in
// blocks that a site lists. Nothing is kept.
import { BlockList, isIP } from 'node:net';
import type { AddressMatch } from './rules/site-rules.js';

const MAPPED_IPV4 = '::ffff:';

/** Undefined: not an IP address. */
export function canonicalAddress(text: string): string | undefined {
  const lower = text.toLowerCase();
  // How a dual-stack socket tells an IPv4 peer.
  if (lower.startsWith(MAPPED_IPV4) && lower.includes('.')) {
    const inner = lower.slice(MAPPED_IPV4.length);
    return isIP(inner) === 4 ? inner : undefined;
  }
  const version = isIP(lower);
  if (version === 4) return lower;
  if (version === 0 || lower.includes('%')) return undefined;
  return new URL(`http://[${lower}]`).hostname.slice(1, -1);
}

/** Of addresses and blocks in CIDR notation, which must be well-formed. */
export function addressesIn(blocks: readonly string[]): AddressMatch {
  const list = new BlockList();
  for (const block of blocks) {
    const [address, prefix] = block.split('/') as [string, string?];
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => list.check(address, familyOf(address));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (address.includes(':') ? 'ipv6' : 'ipv4');
