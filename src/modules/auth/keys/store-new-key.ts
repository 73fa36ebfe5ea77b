// Begins a key's stream. Of a request that is sent again the key is there already, and is the same.
import type { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { keyPrefix, type IdSource } from '../random-ids.js';
import { type ApiKey, issueKey, type KeyDraft, keyFold, type KeyState, keyStream } from './key.aggregate.js';
import type { KeyPepper } from './key-pepper.js';
import type { Origin } from '../origin.js';

const KEY_ID_PREFIX = 'k';

export interface NewKey {
  readonly id: string;
  /** As it is shown, once. */
  readonly key: string;
}

export const newKey = (ids: IdSource): NewKey => ({ id: ids.newId(KEY_ID_PREFIX), key: ids.newApiKey() });

export interface StoreNewKeyDeps {
  readonly eventStore: EventStore;
  readonly pepper: KeyPepper;
}

/** Undefined: it was stored by an earlier request and has been revoked since. */
export async function storeNewKey(
  { eventStore, pepper }: StoreNewKeyDeps,
  { id, key }: NewKey,
  { origin, ...about }: Omit<KeyDraft, 'prefix' | 'digest'> & { readonly origin: Origin },
): Promise<ApiKey | undefined> {
  const event = issueKey(id, { ...about, prefix: keyPrefix(key), digest: pepper.digest(key) });
  await eventStore.append(keyStream(id), [{ ...event, metadata: origin }], 'none');
  const { state } = await load<KeyState>(eventStore, keyStream(id), keyFold);
  return typeof state === 'string' ? undefined : state;
}
