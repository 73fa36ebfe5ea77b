// Revokes an API key, for ever. This node refuses it at once, the others as soon as they hear.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { keyFold, keyStream, revokeKey } from './key.aggregate.js';
import type { Origin } from '../origin.js';

export type RevokeKeyOutcome = 'revoked' | 'key-unknown';

export class RevokeKey extends Command<RevokeKeyOutcome> {
  constructor(
    readonly key: string,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(RevokeKey)
export class RevokeKeyHandler implements ICommandHandler<RevokeKey> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ key, origin }: RevokeKey): Promise<RevokeKeyOutcome> {
    const event = { ...revokeKey(key), metadata: origin };
    for (;;) {
      const { state, revision } = await load(this.eventStore, keyStream(key), keyFold);
      if (typeof state === 'string') return 'key-unknown';
      const { outcome } = await this.eventStore.append(keyStream(key), [event], revision);
      // A change that came in between does not save it.
      if (outcome === 'conflict') continue;
      await this.directories.settle();
      return 'revoked';
    }
  }
}
