// Puts a new key in the place of another, which stays good for an overlap. The successor is stored first:
// a process that dies in between leaves two good keys, never none. A request sent again with its
// Idempotency-Key finds its successor there and finishes.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import type { IdSource } from '../random-ids.js';
import {
  type ApiKey,
  hasExpired,
  keyFold,
  type KeyState,
  keyStream,
  revokeKey,
  rotateKey,
} from './key.aggregate.js';
import { KeyPepper } from './key-pepper.js';
import { newKey, storeNewKey } from './store-new-key.js';
import type { Origin } from '../origin.js';

export type RotateKeyOutcome =
  | { readonly outcome: 'rotated'; readonly issued: ApiKey; readonly key: string }
  | { readonly outcome: 'key-unknown' | 'expired' | 'rotated-before' };

interface RotateKeyRequest {
  readonly key: string;
  readonly overlapSeconds: number;
  /** Of the successor. */
  readonly expiresAt: Date | null;
  readonly origin: Origin;
}

export class RotateKey extends Command<RotateKeyOutcome> {
  constructor(
    readonly request: RotateKeyRequest,
    readonly ids: IdSource,
  ) {
    super();
  }
}

@CommandHandler(RotateKey)
export class RotateKeyHandler implements ICommandHandler<RotateKey> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly pepper: KeyPepper,
  ) {}

  async execute({ request, ids }: RotateKey): Promise<RotateKeyOutcome> {
    const made = newKey(ids);
    const { state: old } = await this.#load(request.key);
    const refusal = refusalOf(old, made.id);
    if (refusal !== undefined) return { outcome: refusal };
    const { merchant, site, name, scopes } = old as ApiKey;
    const { expiresAt, origin } = request;
    const about = { merchant, site, name, scopes, expiresAt, rotatedFrom: request.key, origin };
    const issued = await storeNewKey({ eventStore: this.eventStore, pepper: this.pepper }, made, about);
    if (issued === undefined) return { outcome: 'key-unknown' };
    const ended = await this.#end(request, made.id);
    if (ended !== 'ended') await this.#revoke(issued, origin);
    await this.directories.settle();
    return ended === 'ended' ? { outcome: 'rotated', issued, key: made.key } : { outcome: ended };
  }

  /** Gives the old key its end, whatever else happens to it meanwhile. */
  async #end(
    { key, overlapSeconds, origin }: RotateKeyRequest,
    successor: string,
  ): Promise<'ended' | 'key-unknown' | 'expired' | 'rotated-before'> {
    for (;;) {
      const { state, revision } = await this.#load(key);
      const refusal = refusalOf(state, successor);
      if (refusal !== undefined) return refusal;
      const old = state as ApiKey;
      if (old.successor === successor) return 'ended';
      const overlapEndsAt = new Date(Date.now() + overlapSeconds * 1000);
      const event = { ...rotateKey(old, { successor, overlapEndsAt }), metadata: origin };
      const { outcome } = await this.eventStore.append(keyStream(key), [event], revision);
      if (outcome === 'stored') return 'ended';
    }
  }

  /** Nobody has been shown it. */
  async #revoke({ id, revision }: ApiKey, origin: Origin): Promise<void> {
    await this.eventStore.append(keyStream(id), [{ ...revokeKey(id), metadata: origin }], revision);
  }

  #load(key: string) {
    return load<KeyState>(this.eventStore, keyStream(key), keyFold);
  }
}

function refusalOf(
  key: KeyState,
  successor: string,
): 'key-unknown' | 'expired' | 'rotated-before' | undefined {
  if (typeof key === 'string') return 'key-unknown';
  if (key.successor === successor) return undefined;
  if (key.successor !== null) return 'rotated-before';
  return hasExpired(key, new Date()) ? 'expired' : undefined;
}
