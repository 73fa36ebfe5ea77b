// Changes a shared link, or deletes it for ever, if it is still as whoever asks has seen it.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import {
  changeSharedLink,
  deleteSharedLink,
  type SharedLinkChange,
  sharedLinkFold,
  type SharedLinkState,
  sharedLinkStream,
} from './shared-link.aggregate.js';
import type { Origin } from '../origin.js';

export type ChangeSharedLinkOutcome =
  | { readonly outcome: 'done'; readonly link: SharedLinkState }
  | { readonly outcome: 'link-unknown' }
  | { readonly outcome: 'revision-differs'; readonly actual: Revision };

interface ChangeSharedLinkRequest {
  readonly id: string;
  readonly change: SharedLinkChange | 'delete';
  readonly expected: Revision | 'any';
  readonly origin: Origin;
}

export class ChangeSharedLink extends Command<ChangeSharedLinkOutcome> {
  constructor(readonly request: ChangeSharedLinkRequest) {
    super();
  }
}

@CommandHandler(ChangeSharedLink)
export class ChangeSharedLinkHandler implements ICommandHandler<ChangeSharedLink> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ request }: ChangeSharedLink): Promise<ChangeSharedLinkOutcome> {
    const { id, change, expected, origin } = request;
    const stream = sharedLinkStream(id);
    for (;;) {
      const { state: link } = await load(this.eventStore, stream, sharedLinkFold);
      if (typeof link === 'string') return { outcome: 'link-unknown' };
      const actual = link.revision;
      if (expected !== 'any' && expected !== actual) return { outcome: 'revision-differs', actual };
      const event = change === 'delete' ? deleteSharedLink(id) : changeSharedLink(link, change);
      if (event === null) return { outcome: 'done', link };
      const stored = await this.eventStore.append(stream, [{ ...event, metadata: origin }], actual);
      // Without If-Match, changes at once are made one after the other.
      if (stored.outcome === 'conflict') continue;
      await this.directories.settle();
      const { state } = await load(this.eventStore, stream, sharedLinkFold);
      return { outcome: 'done', link: state };
    }
  }
}
