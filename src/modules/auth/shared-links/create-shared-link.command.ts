// Creates a shared link of a site. Of a request that is sent again the link is there already, and is the same.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { siteFold, siteStream } from '../sites/site.aggregate.js';
import {
  createSharedLink,
  type SharedLink,
  type SharedLinkDraft,
  sharedLinkFold,
  sharedLinkStream,
} from './shared-link.aggregate.js';
import type { Origin } from '../origin.js';

export type CreateSharedLinkOutcome =
  | { readonly outcome: 'created'; readonly link: SharedLink }
  | { readonly outcome: 'site-unknown' }
  /** This request had created it before, and it has been deleted since. */
  | { readonly outcome: 'deleted' };

export class CreateSharedLink extends Command<CreateSharedLinkOutcome> {
  constructor(
    readonly id: string,
    readonly draft: SharedLinkDraft,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(CreateSharedLink)
export class CreateSharedLinkHandler implements ICommandHandler<CreateSharedLink> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ id, draft, origin }: CreateSharedLink): Promise<CreateSharedLinkOutcome> {
    const { state: site } = await load(this.eventStore, siteStream(draft.site), siteFold);
    if (typeof site === 'string' || site.merchant !== draft.merchant) return { outcome: 'site-unknown' };
    const event = { ...createSharedLink(id, draft), metadata: origin };
    await this.eventStore.append(sharedLinkStream(id), [event], 'none');
    const { state: link } = await load(this.eventStore, sharedLinkStream(id), sharedLinkFold);
    await this.directories.settle();
    return typeof link === 'string' ? { outcome: 'deleted' } : { outcome: 'created', link };
  }
}
