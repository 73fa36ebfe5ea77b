// Whom to take for one client where requests are counted by address: an IPv4 address, or the /64 that an
// IPv6 address is in, of which a single host may use all.
const MAPPED_IPV4 = '::ffff:';
const GROUPS = 8;
const NETWORK_GROUPS = 4;

export function networkOf(address: string): string {
  const lower = address.toLowerCase();
  // How a dual-stack socket tells an IPv4 peer.
  if (lower.startsWith(MAPPED_IPV4) && lower.includes('.')) return lower.slice(MAPPED_IPV4.length);
  if (!lower.includes(':')) return lower;
  const [head = '', tail] = lower.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<string>(Math.max(0, GROUPS - before.length - after.length)).fill('0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

const PLACE_GROUPS = 3;
const PLACE_BYTES = 3;

/**
 * Where somebody signed in from, as it may be kept and shown: 256 IPv4 addresses, or an IPv6 /48, as a provider or
 * an organisation has. No single address can be told from it.
 */
export function placeOf(address: string): string {
  const network = networkOf(address);
  if (network.includes(':')) return `${network.split(':').slice(0, PLACE_GROUPS).join(':')}::/48`;
  return `${network.split('.').slice(0, PLACE_BYTES).join('.')}.0/24`;
}

const groupsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
