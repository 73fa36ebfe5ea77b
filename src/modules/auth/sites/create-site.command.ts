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
import { newSiteId } from '../random-ids.js';
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

  async execute({ draft, by }: CreateSite): Promise<CreateSiteOutcome> {
    const merchant = await load(this.eventStore, merchantStream(draft.merchant), merchantFold);
    if (merchant.state === 'absent') return { outcome: 'merchant-unknown' };
    const trackingId = draft.trackingIds.find((id) => this.sites.findByTrackingId(id) !== undefined);
    if (trackingId !== undefined) return { outcome: 'tracking-id-taken', trackingId };

    const id = newSiteId();
    const claim = await claimDomain(this.eventStore, { domain: draft.domain, site: id, by });
    if (claim === 'taken') return { outcome: 'domain-taken' };
    const event = { ...createSite(id, draft), metadata: { by } };
    const created = await this.eventStore.append(siteStream(id), [event], 'none');
    // This creation was so slow that it was given up for dead and the domain went to another.
    if (created.outcome === 'conflict') return { outcome: 'domain-taken' };

    await this.directories.settle();
    const { state } = await load(this.eventStore, siteStream(id), siteFold);
    return { outcome: 'created', site: state as Site };
  }
}
