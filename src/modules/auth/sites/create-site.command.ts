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
import { newSiteId } from '../random-ids.js';
import { createSite, domainsOf, type Site, type SiteDraft, siteFold, siteStream } from './site.aggregate.js';

export type CreateSiteOutcome =
  | { readonly outcome: 'created'; readonly site: Site }
  | { readonly outcome: 'merchant-unknown' }
  | { readonly outcome: 'domain-taken'; readonly domain: string }
  | { readonly outcome: 'tracking-id-taken'; readonly trackingId: string };

export class CreateSite extends Command<CreateSiteOutcome> {
  constructor(
    /** Its domains are normalised. */
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
    const domains = new Set(domainsOf({ domain: draft.domain, aliases: draft.aliases ?? [] }));
    const claimed = await claimDomains(this.eventStore, [...domains], { site: id, by });
    if (claimed.outcome === 'domain-taken') return claimed;
    const event = { ...createSite(id, draft), metadata: { by } };
    const created = await this.eventStore.append(siteStream(id), [event], 'none');
    // This creation was so slow that it was given up for dead and a domain went to another.
    if (created.outcome === 'conflict') return { outcome: 'domain-taken', domain: draft.domain };

    await this.directories.settle();
    const { state } = await load(this.eventStore, siteStream(id), siteFold);
    return { outcome: 'created', site: state as Site };
  }
}
