// All valid keys in memory, by the digest under the pepper, so that a key is checked without I/O.
// Current by following the event store (see directory-follower.ts). What unknown keys cost is one
// digest each and no memory. A key is a line of packed text, found by the hashes of its digest and id; those
// that were shown last are kept as they are asked for. A guess learns nothing from timing: what is compared is the digest,
// which it cannot steer, and only keys already proved right are remembered as given. A key expires at
// its moment on every node, without an event: each look-up compares.
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG, type Config } from '../../../config/config.js';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { InstallationEvent } from '../../../events/installation.events.js';
import type { KeyEvent, KeyScope } from '../../../events/key.events.js';
import type { MerchantEvent } from '../../../events/merchant.events.js';
import type { Caller } from '../access.js';
import { type ApiKey, hasExpired, keyFold } from '../keys/key.aggregate.js';
import { KeyPepper } from '../keys/key-pepper.js';
import type { Directory } from './directory.js';
import { OwnedSlots } from './owned-slots.js';
import { type KeyHead, keyHead, packKey, shortDigest, unpackKey } from './packed-key.js';
import { PackedRecords } from './packed-records.js';
import { hashOf, SlotIndex } from './slot-index.js';

const RECENT_KEYS_MAX = 10_000;
const KEY_CHARACTERS_MAX = 256;

const OPERATOR: Caller = {
  id: 'operator',
  merchant: null,
  site: null,
  scopes: new Set(['operator'] as const),
};

/** A key as it was shown, until it changes. */
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
export class KeyDirectory implements Directory {
  readonly name = 'keys';
  readonly format = 2;
  #records = new PackedRecords();
  #byId = new SlotIndex();
  #byDigest = new SlotIndex();
  /** A site, or else a merchant. */
  #byOwner = new OwnedSlots();
  /** By the key itself. */
  readonly #recent = new LRUCache<string, HeldKey>({ max: RECENT_KEYS_MAX });
  /** Those with a use that nobody has asked for yet. */
  #used: HeldKey[] = [];
  /** One object for all keys that may do the same. */
  readonly #scopes = new Map<string, ReadonlySet<KeyScope>>();
  readonly #configuredOperator: string | undefined;
  /** Short digest of the operator's key that was issued last. */
  #issuedOperator: string | undefined;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'OPERATOR_KEY'>,
    private readonly pepper: KeyPepper,
  ) {
    if (config.OPERATOR_KEY !== undefined) this.#configuredOperator = pepper.shortDigest(config.OPERATOR_KEY);
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
    const key = this.byId(id);
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
    return uses.filter(({ key }) => this.#slotOf(key) !== undefined);
  }

  byId(id: string): ApiKey | undefined {
    const slot = this.#slotOf(id);
    return slot === undefined ? undefined : this.#key(slot);
  }

  listOfSite(site: string): readonly ApiKey[] {
    return this.#keysIn(this.#byOwner.of(ownerOf({ site, merchant: '' })), (key) => key.site === site);
  }

  /** Those good for all of the merchant's sites; without a merchant, every merchant's. */
  listOfMerchant(merchant: string | null): readonly ApiKey[] {
    if (merchant === null) return this.#keysIn(this.#records.slots(), (key) => key.site === null);
    const isIts = (key: ApiKey): boolean => key.site === null && key.merchant === merchant;
    return this.#keysIn(this.#byOwner.of(ownerOf({ site: null, merchant })), isIts);
  }

  apply(recorded: RecordedEvent): void {
    const event = recorded as unknown as RecordedEvent & (KeyEvent | InstallationEvent | MerchantEvent);
    switch (event.type) {
      case 'KeyIssued':
      case 'KeyChanged':
      case 'KeyRotated':
      case 'KeyRevoked': {
        const slot = this.#slotOf(event.data.key);
        const before = slot === undefined ? keyFold.initial : this.#key(slot);
        const after = keyFold.evolve(before, event);
        if (typeof before !== 'string') this.#remove(slot!, before);
        if (typeof after !== 'string') this.#add(packKey(after));
        break;
      }
      case 'MerchantDeleted':
        this.#forgetMerchant(event.data.merchant);
        break;
      case 'OperatorKeyIssued':
        this.#issuedOperator = shortDigest(event.data.digest);
        break;
      default:
    }
  }

  *lines(): Iterable<string> {
    if (this.#issuedOperator !== undefined) yield JSON.stringify(this.#issuedOperator);
    for (const slot of this.#records.slots()) yield this.#records.get(slot);
  }

  restore(line: string): void {
    if (line.startsWith('"')) this.#issuedOperator = JSON.parse(line) as string;
    else this.#add(line);
  }

  clear(): void {
    this.#records = new PackedRecords();
    this.#byId = new SlotIndex();
    this.#byDigest = new SlotIndex();
    this.#byOwner = new OwnedSlots();
    this.#issuedOperator = undefined;
    this.#recent.clear();
  }

  /** Those for all of its sites, at once; those of one site reach nothing without it. All are revoked after that. */
  #forgetMerchant(merchant: string): void {
    const keys = this.listOfMerchant(merchant);
    for (const key of keys) this.#remove(this.#slotOf(key.id)!, key);
  }

  #lookUp(key: string): HeldKey | undefined {
    if (key.length > KEY_CHARACTERS_MAX) return undefined;
    const held = this.#heldOf(this.pepper.shortDigest(key));
    if (held) this.#recent.set(key, held);
    return held;
  }

  #heldOf(digest: string): HeldKey | undefined {
    if (digest === (this.#configuredOperator ?? this.#issuedOperator)) {
      return { caller: OPERATOR, expiresAtMs: Number.POSITIVE_INFINITY, usedAtMs: 0 };
    }
    let found: KeyHead | undefined;
    this.#byDigest.find(hashOf(digest), (slot) => {
      const head = this.#head(slot);
      if (head.digest === digest) found = head;
      return found !== undefined;
    });
    if (found === undefined) return undefined;
    const { id, merchant, site, scopes, expiresAtMs } = found;
    const caller = { id, merchant, site, scopes: this.#scopesOf(scopes) };
    return { caller, expiresAtMs: expiresAtMs === 0 ? Number.POSITIVE_INFINITY : expiresAtMs, usedAtMs: 0 };
  }

  #scopesOf(joined: string): ReadonlySet<KeyScope> {
    let known = this.#scopes.get(joined);
    if (known === undefined) {
      known = new Set(joined.split(',') as KeyScope[]);
      this.#scopes.set(joined, known);
    }
    return known;
  }

  #slotOf(id: string): number | undefined {
    return this.#byId.find(hashOf(id), (slot) => this.#head(slot).id === id);
  }

  #head(slot: number): KeyHead {
    return keyHead(this.#records.get(slot));
  }

  #key(slot: number): ApiKey {
    return unpackKey(this.#records.get(slot));
  }

  #keysIn(slots: Iterable<number>, isWanted: (key: ApiKey) => boolean): readonly ApiKey[] {
    return Array.from(slots, (slot) => this.#key(slot)).filter(isWanted);
  }

  #add(line: string): void {
    const slot = this.#records.add(line);
    const head = keyHead(line);
    this.#byId.add(hashOf(head.id), slot);
    this.#byDigest.add(hashOf(head.digest), slot);
    this.#byOwner.add(ownerOf(head), slot);
  }

  #remove(slot: number, key: ApiKey): void {
    this.#byId.remove(hashOf(key.id), slot);
    this.#byDigest.remove(hashOf(shortDigest(key.digest)), slot);
    this.#byOwner.remove(ownerOf(key), slot);
    this.#records.remove(slot);
    // The digest does not lead back to the key as it was shown.
    for (const [shown, held] of this.#recent.entries()) {
      if (held.caller.id === key.id) this.#recent.delete(shown);
    }
  }
}

const ownerOf = ({ site, merchant }: Pick<ApiKey, 'site' | 'merchant'>): string =>
  site === null ? `merchant ${merchant}` : `site ${site}`;
