// What the site wants to have nothing to do with: events from some countries or addresses, of some
// pages or hosts. They are refused by name, never dropped in silence.
import type { Draft } from '../draft.js';
import type { ExclusionRules } from '../rules/site-rules.js';
import { NEXT, rejected, type Step, type Verdict } from '../verdict.js';

const excluded = (what: string): Verdict => rejected('excluded', `the site keeps no events ${what}`);

const BY_COUNTRY = excluded('from this country');
const BY_ADDRESS = excluded('from this address');
const BY_PAGE = excluded('of this page');
const BY_HOST = excluded('of this host');

export const exclude =
  (): Step<Draft> =>
  ({ rules: { exclusions }, event, address }) => {
    if (exclusions === undefined) return NEXT;
    const { countries, matchesAddress } = exclusions;
    if (countries !== undefined && event.place?.country !== undefined && countries.has(event.place.country)) {
      return BY_COUNTRY;
    }
    if (matchesAddress !== undefined && address !== undefined && matchesAddress(address)) return BY_ADDRESS;
    return event.url === undefined ? NEXT : byUrl(exclusions, event.url);
  };

/** @param url absolute and normalised */
function byUrl({ matchesPage, matchesHost, countsHost }: ExclusionRules, url: string): Verdict {
  if (matchesPage === undefined && matchesHost === undefined && countsHost === undefined) return NEXT;
  const { hostname, pathname } = new URL(url);
  if (matchesPage?.(pathname)) return BY_PAGE;
  return matchesHost?.(hostname) || countsHost?.(hostname) === false ? BY_HOST : NEXT;
}
