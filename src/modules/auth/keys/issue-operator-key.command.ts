// Makes the installation's operator key: once, whatever number of nodes try.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import type { InstallationEvent } from '../../../events/installation.events.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import type { Origin } from '../origin.js';
import { KeyPepper } from './key-pepper.js';
import { CHANCE, keyPrefix } from '../random-ids.js';

const OPERATOR_STREAM = 'operator';

export type IssueOperatorKeyOutcome =
  { readonly outcome: 'issued'; readonly key: string } | { readonly outcome: 'issued-before' };

export class IssueOperatorKey extends Command<IssueOperatorKeyOutcome> {
  constructor(readonly origin: Origin) {
    super();
  }
}

@CommandHandler(IssueOperatorKey)
export class IssueOperatorKeyHandler implements ICommandHandler<IssueOperatorKey> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly pepper: KeyPepper,
  ) {}

  async execute({ origin }: IssueOperatorKey): Promise<IssueOperatorKeyOutcome> {
    const key = CHANCE.newApiKey();
    const event: InstallationEvent = {
      type: 'OperatorKeyIssued',
      data: { prefix: keyPrefix(key), digest: this.pepper.digest(key) },
    };
    const { outcome } = await this.eventStore.append(
      OPERATOR_STREAM,
      [{ ...event, metadata: origin }],
      'none',
    );
    await this.directories.settle();
    return outcome === 'stored' ? { outcome: 'issued', key } : { outcome: 'issued-before' };
  }
}
