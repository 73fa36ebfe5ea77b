// Deletes a merchant by one event, after which nobody is its member, its keys and sites are refused everywhere and
// nothing can be made for it. What each of its sites and keys takes is done after that, by ../deletion/.
import type { Origin } from '../origin.js';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { failpoint } from '../../../telemetry/failpoint.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { type DeletedMerchant, isDeleted, merchantFold, merchantStream } from './merchant.aggregate.js';
import { type Actor, decide, type MerchantRefusal } from './merchant.decisions.js';

export type DeleteMerchantOutcome =
  /** Now, or before. */
  | { readonly outcome: 'deleted'; readonly merchant: DeletedMerchant }
  | { readonly outcome: 'merchant-unknown' }
  | { readonly outcome: 'refused'; readonly refusal: MerchantRefusal };

export interface DeleteMerchantRequest {
  readonly merchant: string;
  /** Its id or name. */
  readonly confirm: string;
  readonly actor: Actor;
  readonly origin: Origin;
}

export class DeleteMerchant extends Command<DeleteMerchantOutcome> {
  constructor(readonly request: DeleteMerchantRequest) {
    super();
  }
}

@CommandHandler(DeleteMerchant)
export class DeleteMerchantHandler implements ICommandHandler<DeleteMerchant> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ request }: DeleteMerchant): Promise<DeleteMerchantOutcome> {
    const { merchant: id, confirm, actor, origin } = request;
    const stream = merchantStream(id);
    for (;;) {
      const { state, revision } = await load(this.eventStore, stream, merchantFold);
      if (state === 'absent') return { outcome: 'merchant-unknown' };
      if (isDeleted(state)) return { outcome: 'deleted', merchant: state };
      const decision = decide(state, { wish: 'delete', confirm }, { actor, now: new Date() });
      if ('refused' in decision) return { outcome: 'refused', refusal: decision.refused };
      const events = [{ ...decision.event!, metadata: origin }];
      const { outcome } = await this.eventStore.append(stream, events, revision);
      if (outcome === 'stored') failpoint('deletion.merchant-deleted');
      await this.directories.settle();
    }
  }
}
