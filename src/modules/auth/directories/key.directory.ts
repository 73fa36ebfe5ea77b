// All valid keys in memory, by the digest under the pepper, so that a key is checked without I/O.
// Current by following the event store (see directory-follower.ts). What unknown keys cost is one
// digest each and no memory. A guess learns nothing from timing: what is compared is the digest,
// which it cannot steer, and only keys already proved right are remembered as given. A key expires at
// its moment on every node, without an event: each look-up compares.
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG, type Config } from '../../../config/config.js';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { InstallationEvent } from '../../../events/installation.events.js';
import type { KeyEvent } from '../../../events/key.events.js';
import type { Caller } from '../access.js';
import { type ApiKey, hasExpired, keyFold } from '../keys/key.aggregate.js';
import { KeyPepper } from '../keys/key-pepper.js';

const RECENT_KEYS_MAX = 10_000;
const KEY_CHARACTERS_MAX = 256;

const OPERATOR: Caller = {
  id: 'operator',
  merchant: null,
  site: null,
  scopes: new Set(['operator'] as const),
};

/** A key as it is looked up: one object for as long as the key is unchanged. */
interface HeldKey {
  readonly caller: Caller;
  /** Epoch ms; infinite: never. */
  readonly expiresAtMs: number;
  /** Epoch ms of the last use that nobody has asked for yet; 0: none. */
  usedAtMs: number;
}

export interface KeyUse {
  readonly key: string;
  /** Epoch ms. */
  readonly usedAtMs: number;
}

@Injectable()
export class KeyDirectory {
  readonly #byId = new Map<string, ApiKey>();
  readonly #byDigest = new Map<string, HeldKey>();
  /** Owner, a site or else a merchant, to its keys. */
  readonly #byOwner = new Map<string, Map<string, ApiKey>>();
  readonly #recent = new LRUCache<string, HeldKey>({ max: RECENT_KEYS_MAX });
  /** Each once: those with a use that nobody has asked for yet. */
  #used: HeldKey[] = [];
  readonly #operatorKeyConfigured: boolean;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'OPERATOR_KEY'>,
    private readonly pepper: KeyPepper,
  ) {
    this.#operatorKeyConfigured = config.OPERATOR_KEY !== undefined;
    if (config.OPERATOR_KEY !== undefined) this.#holdOperator(pepper.digest(config.OPERATOR_KEY));
  }

  /** Undefined: unknown, revoked or expired. Cheap on repeated keys. */
  find(key: string): Caller | undefined {
    const held = this.#recent.get(key) ?? this.#lookUp(key);
    const now = Date.now();
    if (held === undefined || held.expiresAtMs <= now) return undefined;
    if (held.usedAtMs === 0) this.#used.push(held);
    held.usedAtMs = now;
    return held.caller;
  }

  /** Of a key that was found before: whether it still would be. */
  holds({ id }: Caller): boolean {
    if (id === OPERATOR.id) return true;
    const key = this.#byId.get(id);
    return key !== undefined && !hasExpired(key, new Date());
  }

  /** The last use of each key that was found since this was last asked. */
  takeUses(): readonly KeyUse[] {
    const used = this.#used;
    this.#used = [];
    const uses = used.map((held) => {
      const { usedAtMs } = held;
      held.usedAtMs = 0;
      return { key: held.caller.id, usedAtMs };
    });
    // The operator's is not listed anywhere, and what was revoked no longer is.
    return uses.filter(({ key }) => this.#byId.has(key));
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
      case 'KeyChanged':
      case 'KeyRotated': {
        const key = this.#byId.get(event.data.key);
        if (key === undefined) break;
        this.#remove(key.id);
        this.#add(keyFold.evolve(key, event) as ApiKey);
        break;
      }
      case 'KeyRevoked':
        this.#remove(event.data.key);
        break;
      case 'OperatorKeyIssued':
        if (!this.#operatorKeyConfigured) this.#holdOperator(event.data.digest);
        break;
      case 'PepperChosen':
        break;
    }
  }

  #lookUp(key: string): HeldKey | undefined {
    if (key.length > KEY_CHARACTERS_MAX) return undefined;
    const held = this.#byDigest.get(this.pepper.digest(key));
    if (held) this.#recent.set(key, held);
    return held;
  }

  #holdOperator(digest: string): void {
    this.#byDigest.set(digest, { caller: OPERATOR, expiresAtMs: Number.POSITIVE_INFINITY, usedAtMs: 0 });
  }

  #add(key: ApiKey): void {
    const { id, merchant, site } = key;
    this.#byId.set(id, key);
    const caller = { id, merchant, site, scopes: new Set(key.scopes) };
    const expiresAtMs = key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    this.#byDigest.set(key.digest, { caller, expiresAtMs, usedAtMs: 0 });
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
