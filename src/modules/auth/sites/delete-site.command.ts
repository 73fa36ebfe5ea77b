// Deletes a site and releases its domain. Its recorded events stay in the tracking log.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { releaseDomain } from './domain-claim.js';
import { deleteSite, siteFold, siteStream } from './site.aggregate.js';

export type DeleteSiteOutcome = 'deleted' | 'site-unknown' | 'revision-differs';

interface DeleteSiteRequest {
  readonly site: string;
  readonly expected: Revision | 'any';
  readonly by: string;
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

  async execute({ request: { site: id, expected, by } }: DeleteSite): Promise<DeleteSiteOutcome> {
    const { state: site, revision } = await load(this.eventStore, siteStream(id), siteFold);
    if (typeof site === 'string') return 'site-unknown';
    if (expected !== 'any' && expected !== revision) return 'revision-differs';
    const event = { ...deleteSite(id), metadata: { by } };
    const { outcome } = await this.eventStore.append(siteStream(id), [event], revision);
    if (outcome === 'conflict') return 'revision-differs';
    await releaseDomain(this.eventStore, { domain: site.domain, site: id, by });
    await this.directories.settle();
    return 'deleted';
  }
}
