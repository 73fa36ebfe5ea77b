// All sites in memory, so that intake and queries look one up without I/O. Current by following the event store
// (see directory-follower.ts); nothing else changes it. A site is a line of packed text, found by the hashes of its
// id, domains and tracking ids; those asked for last are kept as objects. What is unknown leaves nothing behind.
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { domainKey } from '../sites/domain.js';
import { domainsOf, type Site, siteFold } from '../sites/site.aggregate.js';
import { spreadAt } from '../sites/spread.js';
import type { Directory } from './directory.js';
import { OwnedSlots } from './owned-slots.js';
import { PackedRecords } from './packed-records.js';
import { packSite, unpackSite } from './packed-site.js';
import { hashOf, SlotIndex } from './slot-index.js';

export type { Site } from '../sites/site.aggregate.js';

const RECENT_SITES_MAX = 10_000;
const CHANGES = new Set(['SiteCreated', 'SiteChanged', 'SiteDeleted']);

@Injectable()
export class SiteDirectory implements Directory {
  readonly name = 'sites';
  readonly format = 1;
  #records = new PackedRecords();
  #byId = new SlotIndex();
  #byDomain = new SlotIndex();
  #byTrackingId = new SlotIndex();
  #byMerchant = new OwnedSlots();
  /** By slot. */
  readonly #recent = new LRUCache<number, Site>({ max: RECENT_SITES_MAX });

  /** By id, domain or alias (case-insensitive, leading `www.` ignored for domains). */
  find(idOrDomain: string): Site | undefined {
    const slot = this.#slotOf(idOrDomain) ?? this.#slotOfDomain(domainKey(idOrDomain));
    return slot === undefined ? undefined : this.#site(slot);
  }

  /** Of several, which can be only since before such ids were claimed, the oldest. */
  findByTrackingId(trackingId: string): Site | undefined {
    let found: Site | undefined;
    this.#byTrackingId.find(hashOf(trackingId), (slot) => {
      const site = this.#site(slot);
      if (site.trackingIds.includes(trackingId) && (!found || isOlder(site, found))) found = site;
      return false;
    });
    return found;
  }

  /** Of an event of that time. */
  spreadAt(id: string, time: number): number {
    const slot = this.#slotOf(id);
    return slot === undefined ? 1 : spreadAt(this.#site(slot).spreads, time);
  }

  /** One after another, in no particular order. Meanwhile none may come or go. */
  *all(): Iterable<Site> {
    for (const slot of this.#records.slots()) yield unpackSite(this.#records.get(slot));
  }

  /** In no particular order. */
  list(merchant?: string): readonly Site[] {
    if (merchant === undefined) return [...this.all()];
    const sites = Array.from(this.#byMerchant.of(merchant), (slot) => unpackSite(this.#records.get(slot)));
    return sites.filter((site) => site.merchant === merchant);
  }

  get size(): number {
    return this.#records.size;
  }

  apply(event: RecordedEvent): void {
    if (event.type === 'MerchantDeleted') return this.#forgetMerchant(String(event.data.merchant));
    if (!CHANGES.has(event.type)) return;
    const slot = this.#slotOf(event.data.site as string);
    const before = slot === undefined ? siteFold.initial : unpackSite(this.#records.get(slot));
    const after = siteFold.evolve(before, event);
    if (typeof before !== 'string') this.#remove(slot!, before);
    if (typeof after !== 'string') this.#add(after);
  }

  *lines(): Iterable<string> {
    for (const slot of this.#records.slots()) yield this.#records.get(slot);
  }

  restore(line: string): void {
    this.#index(this.#records.add(line), unpackSite(line));
  }

  clear(): void {
    this.#records = new PackedRecords();
    this.#byId = new SlotIndex();
    this.#byDomain = new SlotIndex();
    this.#byTrackingId = new SlotIndex();
    this.#byMerchant = new OwnedSlots();
    this.#recent.clear();
  }

  /** At once, however many there are; each is deleted by an event of its own after that. */
  #forgetMerchant(merchant: string): void {
    const slots = [...this.#byMerchant.of(merchant)].map((slot) => [slot, this.#site(slot)] as const);
    for (const [slot, site] of slots) if (site.merchant === merchant) this.#remove(slot, site);
  }

  #slotOf(id: string): number | undefined {
    return this.#byId.find(hashOf(id), (slot) => this.#site(slot).id === id);
  }

  #slotOfDomain(domain: string): number | undefined {
    return this.#byDomain.find(hashOf(domain), (slot) => domainsOf(this.#site(slot)).includes(domain));
  }

  #site(slot: number): Site {
    const recent = this.#recent.get(slot);
    if (recent !== undefined) return recent;
    const site = unpackSite(this.#records.get(slot));
    this.#recent.set(slot, site);
    return site;
  }

  #add(site: Site): void {
    this.#index(this.#records.add(packSite(site)), site);
  }

  #index(slot: number, site: Site): void {
    this.#byId.add(hashOf(site.id), slot);
    for (const domain of domainsOf(site)) this.#byDomain.add(hashOf(domain), slot);
    for (const trackingId of site.trackingIds) this.#byTrackingId.add(hashOf(trackingId), slot);
    this.#byMerchant.add(site.merchant, slot);
  }

  #remove(slot: number, site: Site): void {
    this.#recent.delete(slot);
    this.#byId.remove(hashOf(site.id), slot);
    for (const domain of domainsOf(site)) this.#byDomain.remove(hashOf(domain), slot);
    for (const trackingId of site.trackingIds) this.#byTrackingId.remove(hashOf(trackingId), slot);
    this.#byMerchant.remove(site.merchant, slot);
    this.#records.remove(slot);
  }
}

const isOlder = (a: Site, b: Site): boolean =>
  a.createdAt < b.createdAt || (a.createdAt.getTime() === b.createdAt.getTime() && a.id < b.id);
