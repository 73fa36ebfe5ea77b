// How many events intake takes from one client address: a token bucket for each, in this process's memory only. An address
// is there as a hash under a key that the process makes when it starts and tells nobody; of the addresses that came
// last, so many are kept that whoever is forgotten has a full bucket anyway, unless very many flood at the same time.
import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { networkOf } from './client-network.js';
import type { Standing } from './standing.js';

const ADDRESSES_MAX = 100_000;
const BURST_SECONDS = 10;
const KEY_BYTES = 32;

export class AddressRates {
  readonly #key = randomBytes(KEY_BYTES).toString('hex');
  readonly #eventMs: number;
  readonly #eventsMax: number;
  /** When the bucket of an address will be full again, in epoch milliseconds. */
  readonly #fullAt = new LRUCache<string, number>({ max: ADDRESSES_MAX });

  constructor(eventsPerSecondMax: number) {
    this.#eventMs = 1000 / eventsPerSecondMax;
    this.#eventsMax = eventsPerSecondMax * BURST_SECONDS;
  }

  /**
   * Takes tokens for all events of a request, or none. One of more events than a bucket holds takes all of a full one.
   */
  take(address: string, events: number, nowMs: number): Standing {
    const subject = hash('sha256', this.#key + networkOf(address), 'base64');
    const windowMs = BURST_SECONDS * 1000;
    const missingMs = Math.max(0, (this.#fullAt.get(subject) ?? 0) - nowMs);
    const neededMs = Math.min(events, this.#eventsMax) * this.#eventMs;
    const isAdmitted = missingMs + neededMs <= windowMs + this.#eventMs / 1000;
    const thenMissingMs = isAdmitted ? missingMs + neededMs : missingMs;
    if (isAdmitted) this.#fullAt.set(subject, nowMs + thenMissingMs);
    return {
      max: this.#eventsMax,
      windowSeconds: BURST_SECONDS,
      remaining: Math.max(0, Math.floor((windowMs - thenMissingMs) / this.#eventMs + 0.001)),
      fullInSeconds: Math.ceil(thenMissingMs / 1000),
      waitSeconds: isAdmitted ? 0 : Math.max(1, Math.ceil((missingMs + neededMs - windowMs) / 1000)),
    };
  }
}
