// Issues an API key for a site or for all of a merchant's. The key is in the outcome and nowhere
// else: what is stored cannot be turned back into it.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { merchantFold, merchantStream } from '../merchants/merchant.aggregate.js';
import type { IdSource } from '../random-ids.js';
import { siteFold, siteStream } from '../sites/site.aggregate.js';
import type { ApiKey, KeyDraft } from './key.aggregate.js';
import { KeyPepper } from './key-pepper.js';
import { newKey, storeNewKey } from './store-new-key.js';
import type { Origin } from '../origin.js';

export type IssueKeyOutcome =
  | { readonly outcome: 'issued'; readonly issued: ApiKey; readonly key: string }
  | { readonly outcome: 'owner-unknown' }
  /** This request had issued it before, and it has been revoked since. */
  | { readonly outcome: 'revoked' };

export interface IssueKeyRequest extends Pick<
  KeyDraft,
  'merchant' | 'site' | 'name' | 'scopes' | 'expiresAt'
> {
  readonly origin: Origin;
}

export class IssueKey extends Command<IssueKeyOutcome> {
  constructor(
    readonly request: IssueKeyRequest,
    readonly ids: IdSource,
  ) {
    super();
  }
}

@CommandHandler(IssueKey)
export class IssueKeyHandler implements ICommandHandler<IssueKey> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly pepper: KeyPepper,
  ) {}

  async execute({ request, ids }: IssueKey): Promise<IssueKeyOutcome> {
    if (!(await this.#isOwned(request))) return { outcome: 'owner-unknown' };
    const made = newKey(ids);
    const issued = await storeNewKey({ eventStore: this.eventStore, pepper: this.pepper }, made, request);
    await this.directories.settle();
    return issued === undefined ? { outcome: 'revoked' } : { outcome: 'issued', issued, key: made.key };
  }

  async #isOwned({ merchant, site }: IssueKeyRequest): Promise<boolean> {
    if (site === null) {
      const owner = await load(this.eventStore, merchantStream(merchant), merchantFold);
      return owner.state !== 'absent';
    }
    const { state: owner } = await load(this.eventStore, siteStream(site), siteFold);
    return typeof owner !== 'string' && owner.merchant === merchant;
  }
}
