// The time zones of sites under names that PostgreSQL understands as they are meant.
import type { Site } from '../../auth/directories/site.directory.js';

/** To PostgreSQL these are abbreviations, without summer time; the time zone database has them as links. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  CET: 'Europe/Brussels',
  EET: 'Europe/Athens',
  MET: 'Europe/Brussels',
  WET: 'Europe/Lisbon',
};

export interface SiteZones {
  readonly sites: readonly string[];
  /** In the order of the sites. */
  readonly zones: readonly string[];
}

/** Of the sites whose days are not those of UTC: most are, and need not be said. */
export function siteZones(all: Iterable<Pick<Site, 'id' | 'timezone'>>): SiteZones {
  const names = new Map<string, string>();
  const sites: string[] = [];
  const zones: string[] = [];
  for (const { id, timezone } of all) {
    const zone = names.get(timezone) ?? canonical(timezone);
    names.set(timezone, zone);
    if (zone === 'UTC') continue;
    sites.push(id);
    zones.push(zone);
  }
  return { sites, zones };
}

/** What is an alias to us, such as IST, may be another zone to PostgreSQL, or none. */
function canonical(timezone: string): string {
  const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions();
  return ABBREVIATIONS[timeZone] ?? timeZone.replace('SystemV/', '');
}
