// Changes a merchant's quota: another one, the default again, or what was hidden shown. Of those at once, one after the
// other, unless they named what they had seen.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import type { QuotaEvent } from '../../../events/quota.events.js';
import { load } from '../aggregate.js';
import type { Origin } from '../origin.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import {
  type Quota,
  quotaFold,
  type QuotaState,
  quotaStream,
  removeQuota,
  revealMonth,
  setQuota,
} from './quota.aggregate.js';
import { QuotaDirectory } from './quota.directory.js';
import type { Month } from './usage-month.js';

const ATTEMPTS_MAX = 20;

export type ChangeQuotaOutcome =
  | { readonly outcome: 'changed'; readonly version: number }
  | { readonly outcome: 'version-differs'; readonly version: number };

export type QuotaChange =
  | { readonly kind: 'set'; readonly quota: Quota }
  | { readonly kind: 'remove' }
  | { readonly kind: 'reveal'; readonly month: Month };

export interface ChangeQuotaRequest {
  readonly merchant: string;
  readonly change: QuotaChange;
  /** What the client says it has seen. */
  readonly expected: number | 'any';
  readonly origin: Origin;
}

export class ChangeQuota extends Command<ChangeQuotaOutcome> {
  constructor(readonly request: ChangeQuotaRequest) {
    super();
  }
}

/** Of a stream that may have no events: how many it has. */
export const versionOf = (revision: number | 'none'): number => (revision === 'none' ? 0 : revision + 1);

@CommandHandler(ChangeQuota)
export class ChangeQuotaHandler implements ICommandHandler<ChangeQuota> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly quotas: QuotaDirectory,
  ) {}

  async execute({
    request: { merchant, change, expected, origin },
  }: ChangeQuota): Promise<ChangeQuotaOutcome> {
    const stream = quotaStream(merchant);
    for (let attempt = 1; ; attempt++) {
      const { state, revision } = await load(this.eventStore, stream, quotaFold);
      const version = versionOf(revision);
      const isSeen = expected === 'any' || expected === version;
      if (!isSeen || attempt > ATTEMPTS_MAX) return { outcome: 'version-differs', version };
      const event = this.#decide(state, merchant, change);
      if (event === null) return { outcome: 'changed', version };
      const { outcome } = await this.eventStore.append(stream, [{ ...event, metadata: origin }], revision);
      if (outcome === 'conflict') continue;
      await this.directories.settle();
      return { outcome: 'changed', version: version + 1 };
    }
  }

  #decide(state: QuotaState, merchant: string, change: QuotaChange): QuotaEvent | null {
    switch (change.kind) {
      case 'set':
        return setQuota(state, merchant, change.quota);
      case 'remove':
        return removeQuota(state, merchant, this.quotas.standard);
      case 'reveal':
        return revealMonth(state, merchant, change.month);
    }
  }
}
