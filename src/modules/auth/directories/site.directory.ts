// All sites in memory, so that intake and queries look one up without I/O. Current by following
// the event store (see directory-follower.ts); nothing else changes it.
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { domainKey } from '../sites/domain.js';
import { domainsOf, type Site, siteFold } from '../sites/site.aggregate.js';
import { spreadAt } from '../sites/spread.js';

export type { Site } from '../sites/site.aggregate.js';

const CHANGES = new Set(['SiteCreated', 'SiteChanged', 'SiteDeleted']);

@Injectable()
export class SiteDirectory {
  readonly #byId = new Map<string, Site>();
  readonly #byDomain = new Map<string, Site>();
  readonly #byTrackingId = new Map<string, Site>();
  readonly #byMerchant = new Map<string, Map<string, Site>>();

  /** By id, domain or alias (case-insensitive, leading `www.` ignored for domains). */
  find(idOrDomain: string): Site | undefined {
    return this.#byId.get(idOrDomain) ?? this.#byDomain.get(domainKey(idOrDomain));
  }

  findByTrackingId(trackingId: string): Site | undefined {
    return this.#byTrackingId.get(trackingId);
  }

  /** Of an event of that time. */
  spreadAt(id: string, time: number): number {
    const site = this.#byId.get(id);
    return site === undefined ? 1 : spreadAt(site.spreads, time);
  }

  /** In no particular order. */
  list(merchant?: string): readonly Site[] {
    const sites = merchant === undefined ? this.#byId : this.#byMerchant.get(merchant);
    return [...(sites?.values() ?? [])];
  }

  get size(): number {
    return this.#byId.size;
  }

  apply(event: RecordedEvent): void {
    if (!CHANGES.has(event.type)) return;
    const id = event.data.site as string;
    const before = this.#byId.get(id);
    const after = siteFold.evolve(before ?? siteFold.initial, event);
    if (before) this.#remove(before);
    if (typeof after !== 'string') this.#add(after);
  }

  #add(site: Site): void {
    this.#byId.set(site.id, site);
    for (const domain of domainsOf(site)) this.#byDomain.set(domain, site);
    for (const trackingId of site.trackingIds) this.#byTrackingId.set(trackingId, site);
    const owned = this.#byMerchant.get(site.merchant) ?? new Map<string, Site>();
    this.#byMerchant.set(site.merchant, owned.set(site.id, site));
  }

  #remove(site: Site): void {
    this.#byId.delete(site.id);
    for (const domain of domainsOf(site)) this.#byDomain.delete(domain);
    for (const trackingId of site.trackingIds) this.#byTrackingId.delete(trackingId);
    this.#byMerchant.get(site.merchant)?.delete(site.id);
  }
}
