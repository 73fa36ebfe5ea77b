// Where the endpoints that delete a merchant ask: whether that is allowed, and how far it is.
import type { Origin } from '../origin.js';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Problem } from '../../../http/problem.js';
import type { Actor } from '../merchants/merchant.decisions.js';
import { DeleteMerchant } from '../merchants/delete-merchant.command.js';
import { MERCHANT_UNKNOWN, refusalOf } from '../merchants/merchant.desk.js';
import type { DeletedMerchant } from '../merchants/merchant.aggregate.js';
import { type Deletion, Deletions } from './deletions.js';
import { MerchantRemover } from './merchant-remover.js';

export interface MerchantDeletionWish {
  readonly merchant: string;
  readonly confirm: string;
  readonly actor: Actor;
  readonly origin: Origin;
}

@Injectable()
export class MerchantDeletionDesk {
  constructor(
    private readonly commands: CommandBus,
    private readonly deletions: Deletions,
    private readonly remover: MerchantRemover,
  ) {}

  /** The same for whoever asks again. @throws Problem */
  async delete(wish: MerchantDeletionWish): Promise<Deletion> {
    const deleted = await this.commands.execute(new DeleteMerchant(wish));
    if (deleted.outcome === 'refused') throw refusalOf(deleted.refusal);
    // To whoever did not delete it there is none.
    const isTheirs =
      deleted.outcome === 'deleted' &&
      (wish.actor === 'operator' || deleted.merchant.deletedBy === wish.origin.by);
    if (!isTheirs) throw Problem.notFound(MERCHANT_UNKNOWN);
    const deletion = await this.deletions.ofMerchant(wish.merchant);
    this.remover.begin();
    return deletion ?? this.#begun(deleted.merchant);
  }

  /** As long as the tables do not know. */
  #begun({ id, deletedAt }: DeletedMerchant): Deletion {
    return {
      ...{ kind: 'merchant', subject: id, merchant: id, deletedAt, rows: 0, passes: 0, left: 0 },
      ...{ eraseAfter: this.deletions.eraseAfter(deletedAt), erasedAt: null },
    };
  }
}
