// Changes a merchant, its members or its invitations, if that is allowed by what its stream says. Of those at
// once, one after the other: whoever comes second is decided upon anew, unless they named what they had seen.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { type Merchant, merchantFold, merchantStream, presentMerchant } from './merchant.aggregate.js';
import { type Actor, decide, type MerchantRefusal, type MerchantWish } from './merchant.decisions.js';
import type { Origin } from '../origin.js';

const ATTEMPTS_MAX = 20;

export type ChangeMerchantOutcome =
  | { readonly outcome: 'done'; readonly merchant: Merchant }
  | { readonly outcome: 'merchant-unknown' }
  | { readonly outcome: 'revision-differs'; readonly revision: Revision }
  | { readonly outcome: 'refused'; readonly refusal: MerchantRefusal };

export interface ChangeMerchantRequest {
  readonly merchant: string;
  readonly wish: MerchantWish;
  readonly actor: Actor;
  /** What the client says it has seen. */
  readonly expected: Revision | 'any';
  readonly origin: Origin;
}

export class ChangeMerchant extends Command<ChangeMerchantOutcome> {
  constructor(readonly request: ChangeMerchantRequest) {
    super();
  }
}

@CommandHandler(ChangeMerchant)
export class ChangeMerchantHandler implements ICommandHandler<ChangeMerchant> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ request }: ChangeMerchant): Promise<ChangeMerchantOutcome> {
    const { merchant: id, wish, actor, expected, origin } = request;
    const stream = merchantStream(id);
    for (let attempt = 1; ; attempt++) {
      const { state, revision } = await load(this.eventStore, stream, merchantFold);
      const before = presentMerchant(state);
      if (before === undefined || revision === 'none') return { outcome: 'merchant-unknown' };
      const isSeen = expected === 'any' || expected === revision;
      if (!isSeen || attempt > ATTEMPTS_MAX) return { outcome: 'revision-differs', revision };
      const decision = decide(before, wish, { actor, now: new Date() });
      if ('refused' in decision) return { outcome: 'refused', refusal: decision.refused };
      if (decision.event === null) return { outcome: 'done', merchant: before };
      const events = [{ ...decision.event, metadata: origin }];
      const { outcome } = await this.eventStore.append(stream, events, revision);
      if (outcome === 'conflict') continue;
      await this.directories.settle();
      const after = presentMerchant((await load(this.eventStore, stream, merchantFold)).state);
      // Deleted by somebody else, just after.
      return after === undefined ? { outcome: 'merchant-unknown' } : { outcome: 'done', merchant: after };
    }
  }
}
