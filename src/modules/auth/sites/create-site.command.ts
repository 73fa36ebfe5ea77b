// Creates a site for a merchant: claims its domains, then begins the site's stream. Of any number
// of creations for one domain, exactly one is carried out.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { claimDomains } from './domain-claim.js';
import { merchantFold, merchantStream } from '../merchants/merchant.aggregate.js';
import type { IdSource } from '../random-ids.js';
import { createSite, domainsOf, type Site, type SiteDraft, siteFold, siteStream } from './site.aggregate.js';
import type { Origin } from '../origin.js';

export type CreateSiteOutcome =
  | { readonly outcome: 'created'; readonly site: Site }
  | { readonly outcome: 'merchant-unknown' }
  | { readonly outcome: 'domain-taken'; readonly domain: string }
  | { readonly outcome: 'tracking-id-taken'; readonly trackingId: string };

export class CreateSite extends Command<CreateSiteOutcome> {
  constructor(
    /** Its domains are normalised. */
    readonly draft: SiteDraft,
    readonly origin: Origin,
    readonly ids: IdSource,
  ) {
    super();
  }
}

@CommandHandler(CreateSite)
export class CreateSiteHandler implements ICommandHandler<CreateSite> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly sites: SiteDirectory,
  ) {}

  async execute({ draft, origin, ids }: CreateSite): Promise<CreateSiteOutcome> {
    const merchant = await load(this.eventStore, merchantStream(draft.merchant), merchantFold);
    if (merchant.state === 'absent') return { outcome: 'merchant-unknown' };
    const id = ids.newId('s');
    const trackingId = draft.trackingIds.find((each) => {
      const owner = this.sites.findByTrackingId(each);
      return owner !== undefined && owner.id !== id;
    });
    if (trackingId !== undefined) return { outcome: 'tracking-id-taken', trackingId };

    const { state: before } = await load(this.eventStore, siteStream(id), siteFold);
    // The same request has made it when it was sent before.
    if (typeof before !== 'string') return { outcome: 'created', site: before };
    const domains = new Set(domainsOf({ domain: draft.domain, aliases: draft.aliases ?? [] }));
    const claimed = await claimDomains(this.eventStore, [...domains], { site: id, origin });
    if (claimed.outcome === 'domain-taken') return claimed;
    const event = { ...createSite(id, draft), metadata: origin };
    await this.eventStore.append(siteStream(id), [event], 'none');
    await this.directories.settle();
    // What is there already, the same request has made that was sent at the same time.
    const { state } = await load(this.eventStore, siteStream(id), siteFold);
    // This creation was so slow that it was given up for dead and the domain went to another.
    if (typeof state === 'string') return { outcome: 'domain-taken', domain: draft.domain };
    return { outcome: 'created', site: state };
  }
}
