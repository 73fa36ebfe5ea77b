// All shared links in memory, so that each request of somebody who came by one is answered by what the link is now.
// Current by following the event store; nothing else changes it. A link of a deleted site is forgotten with it.
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { Directory } from '../directories/directory.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { hasEnded, type SharedLink, sharedLinkFold } from './shared-link.aggregate.js';

const CHANGES = new Set(['SharedLinkCreated', 'SharedLinkChanged', 'SharedLinkDeleted']);

type Written = Omit<SharedLink, 'expiresAt' | 'createdAt'> & {
  readonly expiresAt: string | null;
  readonly createdAt: string;
};

@Injectable()
export class SharedLinkDirectory implements Directory {
  readonly name = 'shared-links';
  readonly format = 1;
  readonly #byId = new Map<string, SharedLink>();
  readonly #bySite = new Map<string, Set<string>>();

  constructor(
    follower: DirectoryFollower,
    private readonly sites: SiteDirectory,
  ) {
    follower.follow(this);
  }

  /** Also one that has expired: whoever manages it can give it more time. */
  byId(id: string): SharedLink | undefined {
    return this.#byId.get(id);
  }

  /** One that opens now. */
  open(id: string): SharedLink | undefined {
    const link = this.#byId.get(id);
    return link === undefined || hasEnded(link, new Date()) ? undefined : link;
  }

  listOfSite(site: string): readonly SharedLink[] {
    return [...(this.#bySite.get(site) ?? [])].map((id) => this.#byId.get(id)!);
  }

  apply(event: RecordedEvent): void {
    if (event.type === 'SiteDeleted') return this.#forgetSite(String(event.data.site));
    if (!CHANGES.has(event.type)) return;
    const id = String(event.data.link);
    const before = this.#byId.get(id);
    const after = sharedLinkFold.evolve(before ?? sharedLinkFold.initial, event);
    if (typeof after === 'string') this.#remove(before);
    // Sites hear of each event first: a link that was made while its site was deleted never opens.
    else if (this.sites.find(after.site)?.id === after.site) this.#put(after);
  }

  *lines(): Iterable<string> {
    for (const link of this.#byId.values()) yield JSON.stringify(link);
  }

  restore(line: string): void {
    const { expiresAt, createdAt, ...link } = JSON.parse(line) as Written;
    const expiry = expiresAt === null ? null : new Date(expiresAt);
    this.#put({ ...link, expiresAt: expiry, createdAt: new Date(createdAt) });
  }

  clear(): void {
    this.#byId.clear();
    this.#bySite.clear();
  }

  #put(link: SharedLink): void {
    this.#byId.set(link.id, link);
    const ofSite = this.#bySite.get(link.site) ?? new Set();
    this.#bySite.set(link.site, ofSite.add(link.id));
  }

  #remove(link: SharedLink | undefined): void {
    if (link === undefined) return;
    this.#byId.delete(link.id);
    this.#bySite.get(link.site)?.delete(link.id);
  }

  #forgetSite(site: string): void {
    for (const id of this.#bySite.get(site) ?? []) this.#byId.delete(id);
    this.#bySite.delete(site);
  }
}
