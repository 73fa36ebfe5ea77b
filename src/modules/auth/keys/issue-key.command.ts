// Issues an API key for a site or for all of a merchant's. The key is in the outcome and nowhere
// else: what is stored cannot be turned back into it.
import { Inject } from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { merchantFold, merchantStream, presentMerchant } from '../merchants/merchant.aggregate.js';
import type { IdSource } from '../random-ids.js';
import { siteFold, siteStream } from '../sites/site.aggregate.js';
import type { ApiKey, KeyDraft } from './key.aggregate.js';
import { KeyPepper } from './key-pepper.js';
import { RevokeKey } from './revoke-key.command.js';
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
    private readonly commands: CommandBus,
  ) {}

  async execute({ request, ids }: IssueKey): Promise<IssueKeyOutcome> {
    if (!(await this.#isOwned(request))) return { outcome: 'owner-unknown' };
    const made = newKey(ids);
    const issued = await storeNewKey({ eventStore: this.eventStore, pepper: this.pepper }, made, request);
    await this.directories.settle();
    // Deleted meanwhile. What revokes its keys may have gone by before this one was there.
    if (!(await this.#isOwned(request))) {
      await this.commands.execute(new RevokeKey(made.id, request.origin));
      return { outcome: 'owner-unknown' };
    }
    return issued === undefined ? { outcome: 'revoked' } : { outcome: 'issued', issued, key: made.key };
  }

  async #isOwned({ merchant, site }: IssueKeyRequest): Promise<boolean> {
    const { state: owner } = await load(this.eventStore, merchantStream(merchant), merchantFold);
    if (presentMerchant(owner) === undefined) return false;
    if (site === null) return true;
    const { state: of } = await load(this.eventStore, siteStream(site), siteFold);
    return typeof of !== 'string' && of.merchant === merchant;
  }
}
