// Changes a site's settings, if the site is still as whoever asks has seen it. Domains that come to
// it are claimed before, those that it gives up are released after.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { claimDomains, claimsHeld, releaseClaims } from './domain-claim.js';
import { changeSite, domainsOf, type Site, type SiteChange, siteFold, siteStream } from './site.aggregate.js';
import type { Origin } from '../origin.js';

export type ChangeSiteOutcome =
  | { readonly outcome: 'changed'; readonly site: Site }
  | { readonly outcome: 'site-unknown' }
  | { readonly outcome: 'revision-differs'; readonly actual: Revision }
  | { readonly outcome: 'domain-taken'; readonly domain: string }
  | { readonly outcome: 'tracking-id-taken'; readonly trackingId: string };

interface ChangeSiteRequest {
  readonly site: string;
  /** Its domains are normalised. */
  readonly change: SiteChange;
  readonly expected: Revision | 'any';
  readonly origin: Origin;
}

export class ChangeSite extends Command<ChangeSiteOutcome> {
  constructor(readonly request: ChangeSiteRequest) {
    super();
  }
}

@CommandHandler(ChangeSite)
export class ChangeSiteHandler implements ICommandHandler<ChangeSite> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly sites: SiteDirectory,
  ) {}

  async execute({ request: { site: id, change, expected, origin } }: ChangeSite): Promise<ChangeSiteOutcome> {
    const stream = siteStream(id);
    const { state: site, revision } = await load(this.eventStore, stream, siteFold);
    if (typeof site === 'string') return { outcome: 'site-unknown' };
    if (expected !== 'any' && expected !== revision) {
      return { outcome: 'revision-differs', actual: site.revision };
    }
    const trackingId = change.trackingIds?.find((each) => {
      const owner = this.sites.findByTrackingId(each);
      return owner !== undefined && owner.id !== id;
    });
    if (trackingId !== undefined) return { outcome: 'tracking-id-taken', trackingId };
    const event = changeSite(site, change);
    if (event === null) return { outcome: 'changed', site };

    const [before, after] = [domainsOf(site), domainsOf({ ...site, ...event.data })];
    const claimant = { site: id, origin };
    // Looked up before the change is stored: what is claimed anew after it is not released below.
    const givenUp = await claimsHeld(this.eventStore, without(before, after), claimant);
    const claimed = await claimDomains(this.eventStore, without(after, before), claimant);
    if (claimed.outcome === 'domain-taken') return claimed;
    const stored = await this.eventStore.append(stream, [{ ...event, metadata: origin }], revision);
    const released = stored.outcome === 'stored' ? givenUp : claimed.claims;
    await releaseClaims(this.eventStore, released, claimant);
    if (stored.outcome === 'conflict') return { outcome: 'revision-differs', actual: Number(stored.actual) };
    await this.directories.settle();
    return { outcome: 'changed', site: { ...site, ...event.data, id, revision: stored.revision } };
  }
}

const without = (domains: readonly string[], others: readonly string[]): readonly string[] =>
  domains.filter((domain) => !others.includes(domain));
