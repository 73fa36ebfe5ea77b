// Whether IP addresses lie in blocks that a site lists. Nothing is kept.
import { BlockList } from 'node:net';
import type { AddressMatch } from './rules/site-rules.js';

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
