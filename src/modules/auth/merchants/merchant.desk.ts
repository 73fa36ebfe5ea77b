// Where the endpoints about a merchant ask: whose it is, what it is now, and what becomes of a wish; with what
// is told to whoever may not, or came too late.
import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { Problem } from '../../../http/problem.js';
import { load } from '../aggregate.js';
import { type Caller, originOf } from '../access.js';
import { changedMeanwhile } from '../entity-tag.js';
import { actorOf } from './acting.js';
import { ChangeMerchant } from './change-merchant.command.js';
import { type Merchant, merchantFold, merchantStream, presentMerchant } from './merchant.aggregate.js';
import type { MerchantRefusal, MerchantWish } from './merchant.decisions.js';

export const MERCHANT_UNKNOWN = 'There is no such merchant.';

const ID = /^[\w-]{1,64}$/;

const REFUSALS: Readonly<Record<MerchantRefusal, () => Problem>> = {
  'not-allowed': () => Problem.forbidden('This needs the role admin.'),
  'owners-only': () => Problem.forbidden('Only an owner makes, changes or removes owners.'),
  'no-member': () => Problem.notFound(MERCHANT_UNKNOWN),
  'owner-needed': () => Problem.forbidden('This needs the role owner.'),
  'operators-own': () => Problem.conflict("The operators' own merchant cannot be deleted."),
  'not-confirmed': () =>
    Problem.badRequest('Say which merchant is to be deleted.', [
      { path: 'confirm', message: 'is neither its name nor its id' },
    ]),
  'last-owner': () => Problem.conflict('The merchant has no other owner: make another one first.'),
  'member-unknown': () => Problem.notFound('There is no such member.'),
  'member-already': () => Problem.conflict('You are a member of this merchant already.'),
  'members-too-many': () => Problem.conflict('The merchant has as many members as it can have.'),
  'invitation-unknown': () => Problem.notFound('There is no such invitation.'),
  'invitation-not-open': () => Problem.notFound('The invitation is no longer open: ask for another one.'),
  'invited-already': () =>
    Problem.conflict('There is an open invitation for this address: withdraw it first.'),
  'invitations-too-many': () => Problem.conflict('Too many invitations are open: withdraw some first.'),
};

/** What is told to whoever may not. */
export const refusalOf = (refusal: MerchantRefusal): Problem => REFUSALS[refusal]();

export interface Wished {
  readonly merchant: string;
  readonly wish: MerchantWish;
  /** What the client says it has seen; absent: they do not say. */
  readonly expected?: number | 'any';
}

@Injectable()
export class MerchantDesk {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly commands: CommandBus,
  ) {}

  /** @throws Problem 404 */
  async find(id: string): Promise<Merchant> {
    const merchant = await this.lookUp(id);
    if (merchant === undefined) throw Problem.notFound(MERCHANT_UNKNOWN);
    return merchant;
  }

  async lookUp(id: string): Promise<Merchant | undefined> {
    // Some texts can be no stream's name.
    if (!ID.test(id)) return undefined;
    const { state } = await load(this.eventStore, merchantStream(id), merchantFold);
    return presentMerchant(state);
  }

  /** @throws Problem */
  async change(caller: Caller, { merchant, wish, expected = 'any' }: Wished): Promise<Merchant> {
    const request = { merchant, wish, expected, actor: actorOf(caller), origin: originOf(caller) };
    const changed = await this.commands.execute(new ChangeMerchant(request));
    switch (changed.outcome) {
      case 'done':
        return changed.merchant;
      case 'refused':
        throw refusalOf(changed.refusal);
      case 'revision-differs':
        throw changedMeanwhile('merchant', changed.revision);
      case 'merchant-unknown':
        // Whoever guesses a token learns nothing from the merchant that it names.
        throw wish.wish === 'accept' ? refusalOf('invitation-not-open') : Problem.notFound(MERCHANT_UNKNOWN);
    }
  }
}
