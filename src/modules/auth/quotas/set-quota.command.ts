// Sets a merchant's quota. Of those at once, one after the other, unless they named what they had seen.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { type Quota, quotaFold, quotaStream, setQuota } from './quota.aggregate.js';
import type { Origin } from '../origin.js';

const ATTEMPTS_MAX = 20;

export type SetQuotaOutcome =
  | { readonly outcome: 'set'; readonly version: number }
  | { readonly outcome: 'version-differs'; readonly version: number };

export interface SetQuotaRequest {
  readonly merchant: string;
  readonly quota: Quota;
  /** What the client says it has seen. */
  readonly expected: number | 'any';
  readonly origin: Origin;
}

export class SetQuota extends Command<SetQuotaOutcome> {
  constructor(readonly request: SetQuotaRequest) {
    super();
  }
}

/** Of a stream that may have no events: how many it has. */
export const versionOf = (revision: number | 'none'): number => (revision === 'none' ? 0 : revision + 1);

@CommandHandler(SetQuota)
export class SetQuotaHandler implements ICommandHandler<SetQuota> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ request: { merchant, quota, expected, origin } }: SetQuota): Promise<SetQuotaOutcome> {
    const stream = quotaStream(merchant);
    for (let attempt = 1; ; attempt++) {
      const { state, revision } = await load(this.eventStore, stream, quotaFold);
      const version = versionOf(revision);
      const isSeen = expected === 'any' || expected === version;
      if (!isSeen || attempt > ATTEMPTS_MAX) return { outcome: 'version-differs', version };
      const event = setQuota(state, merchant, quota);
      if (event === null) return { outcome: 'set', version };
      const { outcome } = await this.eventStore.append(stream, [{ ...event, metadata: origin }], revision);
      if (outcome === 'conflict') continue;
      await this.directories.settle();
      return { outcome: 'set', version: version + 1 };
    }
  }
}
