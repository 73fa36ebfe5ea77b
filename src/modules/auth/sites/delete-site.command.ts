// Deletes a site and releases its domains and tracking ids. Its rows are erased after a grace (../deletion/);
// its recorded events stay in the tracking log and in the archive for as long as these keep anything.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { claimsHeld, releaseClaims } from './name-claim.js';
import { deleteSite, namesOf, siteFold, siteStream } from './site.aggregate.js';
import type { Origin } from '../origin.js';

export type DeleteSiteOutcome =
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'site-unknown' }
  | { readonly outcome: 'revision-differs'; readonly actual: Revision };

interface DeleteSiteRequest {
  readonly site: string;
  readonly expected: Revision | 'any';
  readonly origin: Origin;
}

export class DeleteSite extends Command<DeleteSiteOutcome> {
  constructor(readonly request: DeleteSiteRequest) {
    super();
  }
}

@CommandHandler(DeleteSite)
export class DeleteSiteHandler implements ICommandHandler<DeleteSite> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ request: { site: id, expected, origin } }: DeleteSite): Promise<DeleteSiteOutcome> {
    const { state: site, revision } = await load(this.eventStore, siteStream(id), siteFold);
    if (typeof site === 'string') return { outcome: 'site-unknown' };
    if (expected !== 'any' && expected !== revision) {
      return { outcome: 'revision-differs', actual: site.revision };
    }
    const event = { ...deleteSite(id), metadata: origin };
    const stored = await this.eventStore.append(siteStream(id), [event], revision);
    if (stored.outcome === 'conflict') return { outcome: 'revision-differs', actual: Number(stored.actual) };
    const claims = await claimsHeld(this.eventStore, namesOf(site), { site: id, origin });
    await releaseClaims(this.eventStore, claims, { site: id, origin });
    await this.directories.settle();
    return { outcome: 'deleted' };
  }
}
