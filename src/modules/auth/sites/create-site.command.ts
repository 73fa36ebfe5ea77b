// Creates a site for a merchant: claims its domains and tracking ids, then begins the site's stream. Of any
// number of creations for one of them, exactly one is carried out.
import { Inject } from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { DeleteSite } from './delete-site.command.js';
import { merchantFold, merchantStream, presentMerchant } from '../merchants/merchant.aggregate.js';
import { claimNames, type NameTaken } from './name-claim.js';
import type { IdSource } from '../random-ids.js';
import { createSite, namesOf, type Site, type SiteDraft, siteFold, siteStream } from './site.aggregate.js';
import { takenTrackingId } from './unclaimed-tracking-ids.js';
import type { Origin } from '../origin.js';

export type CreateSiteOutcome =
  { readonly outcome: 'created'; readonly site: Site } | { readonly outcome: 'merchant-unknown' } | NameTaken;

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
    private readonly commands: CommandBus,
  ) {}

  async execute({ draft, origin, ids }: CreateSite): Promise<CreateSiteOutcome> {
    if (!(await this.#hasMerchant(draft))) return { outcome: 'merchant-unknown' };
    const id = ids.newId('s');
    const { state: before } = await load(this.eventStore, siteStream(id), siteFold);
    // The same request has made it when it was sent before.
    if (typeof before !== 'string') return { outcome: 'created', site: before };
    const { trackingIds } = draft;
    const taken = await takenTrackingId(this.eventStore, this.sites, { site: id, trackingIds });
    if (taken !== undefined) return taken;
    const aliases = (draft.aliases ?? []).filter((alias) => alias !== draft.domain);
    const claimed = await claimNames(this.eventStore, namesOf({ ...draft, aliases }), { site: id, origin });
    if (claimed.outcome === 'name-taken') return claimed;
    const event = { ...createSite(id, draft), metadata: origin };
    await this.eventStore.append(siteStream(id), [event], 'none');
    await this.directories.settle();
    // Deleted meanwhile. What deletes its sites may have gone by before this one was there.
    if (!(await this.#hasMerchant(draft))) {
      await this.commands.execute(new DeleteSite({ site: id, expected: 'any', origin }));
      return { outcome: 'merchant-unknown' };
    }
    // What is there already, the same request has made that was sent at the same time.
    const { state } = await load(this.eventStore, siteStream(id), siteFold);
    // This creation was so slow that it was given up for dead and a name went to another.
    if (typeof state === 'string') return { outcome: 'name-taken', name: { domain: draft.domain } };
    return { outcome: 'created', site: state };
  }

  async #hasMerchant({ merchant }: SiteDraft): Promise<boolean> {
    const { state } = await load(this.eventStore, merchantStream(merchant), merchantFold);
    return presentMerchant(state) !== undefined;
  }
}
