// Issues an API key for a site or for all of a merchant's. The key is in the outcome and nowhere
// else: what is stored cannot be turned back into it.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { type ApiKey, issueKey, type KeyDraft, keyFold, keyStream } from './key.aggregate.js';
import { KeyPepper } from './key-pepper.js';
import { merchantFold, merchantStream } from '../merchants/merchant.aggregate.js';
import { keyPrefix, newApiKey, newKeyId } from '../random-ids.js';
import { siteFold, siteStream } from '../sites/site.aggregate.js';

export type IssueKeyOutcome =
  | { readonly outcome: 'issued'; readonly issued: ApiKey; readonly key: string }
  | { readonly outcome: 'owner-unknown' };

export class IssueKey extends Command<IssueKeyOutcome> {
  constructor(
    readonly request: Pick<KeyDraft, 'merchant' | 'site' | 'name' | 'scopes'>,
    readonly by: string,
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

  async execute({ request, by }: IssueKey): Promise<IssueKeyOutcome> {
    if (!(await this.#isOwned(request))) return { outcome: 'owner-unknown' };
    const id = newKeyId();
    const key = newApiKey();
    const draft = { ...request, prefix: keyPrefix(key), digest: this.pepper.digest(key) };
    await this.eventStore.append(keyStream(id), [{ ...issueKey(id, draft), metadata: { by } }], 'none');
    await this.directories.settle();
    const { state } = await load(this.eventStore, keyStream(id), keyFold);
    return { outcome: 'issued', issued: state as ApiKey, key };
  }

  async #isOwned({ merchant, site }: IssueKey['request']): Promise<boolean> {
    if (site === null) {
      const owner = await load(this.eventStore, merchantStream(merchant), merchantFold);
      return owner.state !== 'absent';
    }
    const { state: owner } = await load(this.eventStore, siteStream(site), siteFold);
    return typeof owner !== 'string' && owner.merchant === merchant;
  }
}
