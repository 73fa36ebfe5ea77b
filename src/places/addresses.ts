// IP addresses as text: one spelling for each, so that a visitor has one id and is in one place. Nothing is kept.
import { isIP } from 'node:net';

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
