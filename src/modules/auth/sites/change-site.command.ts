// Changes a site's settings, if the site is still as whoever asks has seen it.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { changeSite, type Site, type SiteChange, siteFold, siteStream } from './site.aggregate.js';

export type ChangeSiteOutcome =
  | { readonly outcome: 'changed'; readonly site: Site }
  | { readonly outcome: 'site-unknown' }
  | { readonly outcome: 'revision-differs' }
  | { readonly outcome: 'tracking-id-taken'; readonly trackingId: string };

interface ChangeSiteRequest {
  readonly site: string;
  readonly change: SiteChange;
  readonly expected: Revision | 'any';
  readonly by: string;
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

  async execute({ request: { site: id, change, expected, by } }: ChangeSite): Promise<ChangeSiteOutcome> {
    const stream = siteStream(id);
    const { state: site, revision } = await load(this.eventStore, stream, siteFold);
    if (typeof site === 'string') return { outcome: 'site-unknown' };
    if (expected !== 'any' && expected !== revision) return { outcome: 'revision-differs' };
    const trackingId = change.trackingIds?.find((each) => {
      const owner = this.sites.findByTrackingId(each);
      return owner !== undefined && owner.id !== id;
    });
    if (trackingId !== undefined) return { outcome: 'tracking-id-taken', trackingId };

    const event = changeSite(site, change);
    if (event === null) return { outcome: 'changed', site };
    const stored = await this.eventStore.append(stream, [{ ...event, metadata: { by } }], revision);
    if (stored.outcome === 'conflict') return { outcome: 'revision-differs' };
    await this.directories.settle();
    return { outcome: 'changed', site: { ...site, ...event.data, id, revision: stored.revision } };
  }
}
