// Creates a site for a merchant: claims the domain, then begins the site's stream. Of any number
// of creations for one domain, exactly one is carried out.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { claimDomain } from './domain-claim.js';
import { merchantFold, merchantStream } from '../merchants/merchant.aggregate.js';
import type { IdSource } from '../random-ids.js';
import { createSite, type Site, type SiteDraft, siteFold, siteStream } from './site.aggregate.js';

export type CreateSiteOutcome =
  | { readonly outcome: 'created'; readonly site: Site }
  | { readonly outcome: 'merchant-unknown' }
  | { readonly outcome: 'domain-taken' }
  | { readonly outcome: 'tracking-id-taken'; readonly trackingId: string };

export class CreateSite extends Command<CreateSiteOutcome> {
  constructor(
    /** Its domain is normalised. */
    readonly draft: SiteDraft,
    readonly by: string,
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

  async execute({ draft, by, ids }: CreateSite): Promise<CreateSiteOutcome> {
    const merchant = await load(this.eventStore, merchantStream(draft.merchant), merchantFold);
    if (merchant.state === 'absent') return { outcome: 'merchant-unknown' };
    const id = ids.newId('s');
    const trackingId = draft.trackingIds.find((each) => {
      const owner = this.sites.findByTrackingId(each);
      return owner !== undefined && owner.id !== id;
    });
    if (trackingId !== undefined) return { outcome: 'tracking-id-taken', trackingId };

    const claim = await claimDomain(this.eventStore, { domain: draft.domain, site: id, by });
    if (claim === 'taken') return { outcome: 'domain-taken' };
    const event = { ...createSite(id, draft), metadata: { by } };
    await this.eventStore.append(siteStream(id), [event], 'none');
    await this.directories.settle();
    // What is there already, the same request has made when it was sent before.
    const { state } = await load(this.eventStore, siteStream(id), siteFold);
    // This creation was so slow that it was given up for dead and the domain went to another.
    if (typeof state === 'string') return { outcome: 'domain-taken' };
    return { outcome: 'created', site: state };
  }
}
