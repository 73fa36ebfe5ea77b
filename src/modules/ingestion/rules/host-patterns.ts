// Whether a host is one of those that a site lists: by its name, for which a leading `www.` does not
// matter, or under `*.` and a domain. Compiled once per change of a site. Pure.
import { domainKey } from '../../auth/sites/domain.js';

export type HostMatch = (host: string) => boolean;

const ANY_SUBDOMAIN = '*.';

/** Undefined where nothing is listed. */
export function compileHosts(patterns: readonly string[]): HostMatch | undefined {
  if (patterns.length === 0) return undefined;
  const names = new Set(patterns);
  const endings = patterns
    .filter((pattern) => pattern.startsWith(ANY_SUBDOMAIN))
    .map((pattern) => pattern.slice(ANY_SUBDOMAIN.length - 1));
  return (host) => {
    const lower = host.toLowerCase();
    return names.has(domainKey(lower)) || endings.some((ending) => lower.endsWith(ending));
  };
}
