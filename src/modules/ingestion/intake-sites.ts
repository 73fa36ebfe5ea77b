// The sites as intake sees them: whose event it is, and what the site asks of it. A site's rules are
// made when its first event comes, and again after each change, which gives the directory another object.
import { reaches } from '../auth/access.js';
import type { Site, SiteDirectory } from '../auth/directories/site.directory.js';
import { addressesIn } from './addresses.js';
import type { RequestFacts } from './draft.js';
import { compileRules, type SiteRules } from './rules/site-rules.js';

export interface IntakeSite {
  readonly id: string;
  readonly merchant: string;
  readonly currency: string;
  readonly rules: SiteRules;
}

export class IntakeSites {
  readonly #ready = new WeakMap<Site, IntakeSite>();

  constructor(private readonly sites: Pick<SiteDirectory, 'find' | 'findByTrackingId'>) {}

  /** Undefined also where the caller may not write to it. */
  find(name: string, { caller, wire }: Pick<RequestFacts, 'caller' | 'wire'>): IntakeSite | undefined {
    const site = this.sites.find(name) ?? (wire === 'native' ? undefined : this.sites.findByTrackingId(name));
    if (site === undefined || !reaches(caller, site)) return undefined;
    const known = this.#ready.get(site);
    if (known !== undefined) return known;
    const { id, merchant, currency } = site;
    const ready: IntakeSite = { id, merchant, currency, rules: compileRules(site, addressesIn) };
    this.#ready.set(site, ready);
    return ready;
  }
}
