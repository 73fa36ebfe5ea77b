// All valid keys in memory, by the digest under the pepper, so that a key is checked without I/O.
// Current by following the event store (see directory-follower.ts). What unknown keys cost is one
// digest each and no memory. A guess learns nothing from timing: what is compared is the digest,
// which it cannot steer, and only keys already proved right are remembered as given.
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG, type Config } from '../../../config/config.js';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { InstallationEvent } from '../../../events/installation.events.js';
import type { KeyEvent } from '../../../events/key.events.js';
import type { Caller } from '../access.js';
import { type ApiKey, keyFold } from '../keys/key.aggregate.js';
import { KeyPepper } from '../keys/key-pepper.js';

const RECENT_KEYS_MAX = 10_000;
const KEY_CHARACTERS_MAX = 256;

const OPERATOR: Caller = {
  id: 'operator',
  merchant: null,
  site: null,
  scopes: new Set(['operator'] as const),
};

@Injectable()
export class KeyDirectory {
  readonly #byId = new Map<string, ApiKey>();
  readonly #byDigest = new Map<string, Caller>();
  /** Owner, a site or else a merchant, to its keys. */
  readonly #byOwner = new Map<string, Map<string, ApiKey>>();
  readonly #recent = new LRUCache<string, Caller>({ max: RECENT_KEYS_MAX });
  readonly #operatorKeyConfigured: boolean;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'OPERATOR_KEY'>,
    private readonly pepper: KeyPepper,
  ) {
    this.#operatorKeyConfigured = config.OPERATOR_KEY !== undefined;
    if (config.OPERATOR_KEY !== undefined) this.#byDigest.set(pepper.digest(config.OPERATOR_KEY), OPERATOR);
  }

  /** Undefined: unknown or revoked. Cheap on repeated keys. */
  find(key: string): Caller | undefined {
    const recent = this.#recent.get(key);
    if (recent) return recent;
    if (key.length > KEY_CHARACTERS_MAX) return undefined;
    const caller = this.#byDigest.get(this.pepper.digest(key));
    if (caller) this.#recent.set(key, caller);
    return caller;
  }

  /** Of a key that was found before: whether it still would be. */
  holds({ id }: Caller): boolean {
    return id === OPERATOR.id || this.#byId.has(id);
  }

  byId(id: string): ApiKey | undefined {
    return this.#byId.get(id);
  }

  listOfSite(site: string): readonly ApiKey[] {
    return [...(this.#byOwner.get(ownerKey({ site, merchant: '' }))?.values() ?? [])];
  }

  /** Those good for all of the merchant's sites; without a merchant, every merchant's. */
  listOfMerchant(merchant: string | null): readonly ApiKey[] {
    if (merchant === null) return [...this.#byId.values()].filter((key) => key.site === null);
    return [...(this.#byOwner.get(ownerKey({ site: null, merchant }))?.values() ?? [])];
  }

  apply(recorded: RecordedEvent): void {
    const event = recorded as unknown as RecordedEvent & (KeyEvent | InstallationEvent);
    switch (event.type) {
      case 'KeyIssued':
        this.#add(keyFold.evolve('absent', event) as ApiKey);
        break;
      case 'KeyRevoked':
        this.#remove(event.data.key);
        break;
      case 'OperatorKeyIssued':
        if (!this.#operatorKeyConfigured) this.#byDigest.set(event.data.digest, OPERATOR);
        break;
      case 'PepperChosen':
        break;
    }
  }

  #add(key: ApiKey): void {
    const { id, merchant, site } = key;
    this.#byId.set(id, key);
    this.#byDigest.set(key.digest, { id, merchant, site, scopes: new Set(key.scopes) });
    const owned = this.#byOwner.get(ownerKey(key)) ?? new Map<string, ApiKey>();
    this.#byOwner.set(ownerKey(key), owned.set(id, key));
  }

  #remove(id: string): void {
    const key = this.#byId.get(id);
    if (!key) return;
    this.#byId.delete(id);
    this.#byDigest.delete(key.digest);
    this.#byOwner.get(ownerKey(key))?.delete(id);
    // The digest does not lead back to the key as given: all are looked up anew, once.
    this.#recent.clear();
  }
}

const ownerKey = ({ site, merchant }: Pick<ApiKey, 'site' | 'merchant'>): string =>
  site === null ? `merchant ${merchant}` : `site ${site}`;
