// Changes a key's name or when it expires, if the key is still as whoever asks has seen it.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import {
  changeKey,
  type ApiKey,
  type ChangeRefusal,
  type KeyChange,
  keyFold,
  keyStream,
} from './key.aggregate.js';
import type { Origin } from '../origin.js';

export type ChangeKeyOutcome =
  | { readonly outcome: 'changed'; readonly key: ApiKey }
  | { readonly outcome: 'revision-differs'; readonly actual: Revision }
  | { readonly outcome: 'key-unknown' | ChangeRefusal };

interface ChangeKeyRequest {
  readonly key: string;
  readonly change: KeyChange;
  readonly expected: Revision | 'any';
  readonly origin: Origin;
}

export class ChangeKey extends Command<ChangeKeyOutcome> {
  constructor(readonly request: ChangeKeyRequest) {
    super();
  }
}

@CommandHandler(ChangeKey)
export class ChangeKeyHandler implements ICommandHandler<ChangeKey> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ request: { key: id, change, expected, origin } }: ChangeKey): Promise<ChangeKeyOutcome> {
    const { state: key } = await load(this.eventStore, keyStream(id), keyFold);
    if (typeof key === 'string') return { outcome: 'key-unknown' };
    if (expected !== 'any' && expected !== key.revision) {
      return { outcome: 'revision-differs', actual: key.revision };
    }
    const event = changeKey(key, change, new Date());
    if (typeof event === 'string') return { outcome: event };
    if (event === null) return { outcome: 'changed', key };
    const stored = await this.eventStore.append(
      keyStream(id),
      [{ ...event, metadata: origin }],
      key.revision,
    );
    if (stored.outcome === 'conflict') return { outcome: 'revision-differs', actual: Number(stored.actual) };
    await this.directories.settle();
    const { state: changed } = await load(this.eventStore, keyStream(id), keyFold);
    return typeof changed === 'string' ? { outcome: 'key-unknown' } : { outcome: 'changed', key: changed };
  }
}
