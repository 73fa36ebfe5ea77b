// How many events of a site intake takes: a bucket for each site, that all nodes share (rate-limits.ts). Intake decides
// at once and asks nobody: while the shared bucket is asked, what comes is let in on credit, a bounded amount, which
// the bucket has counted when it answers. Once it is empty the site is held off without asking for as long as it says.
import { LRUCache } from 'lru-cache';
import type { RateLimit, RateLimits } from './rate-limits.js';

const SITES_MAX = 10_000;
/** How much is let in on credit: what the site may send in so long. Redis answers within 50 ms, or never. */
const CREDIT_MS = 100;

interface Standing {
  /** Let in while the bucket is being asked. */
  creditEvents: number;
  /** Epoch milliseconds: until then there is nothing. */
  heldOffUntil: number;
}

export interface SiteRate {
  readonly eventsPerSecondMax: number;
  /** As much may come at once as in so long. */
  readonly burstSeconds: number;
}

export class SiteRates {
  readonly #limit: RateLimit;
  readonly #creditMax: number;
  readonly #standings = new LRUCache<string, Standing>({ max: SITES_MAX });

  constructor(
    private readonly limits: Pick<RateLimits, 'take'>,
    { eventsPerSecondMax, burstSeconds }: SiteRate,
  ) {
    this.#limit = {
      name: 'site',
      requestsMax: eventsPerSecondMax * burstSeconds,
      windowMs: burstSeconds * 1000,
    };
    this.#creditMax = Math.max(1, Math.ceil((eventsPerSecondMax * CREDIT_MS) / 1000));
  }

  /** Until the site's bucket may have something again, in seconds; 0: it may have, or nobody has asked. Takes nothing. */
  heldOffSeconds(site: string, nowMs: number): number {
    const heldOffUntil = this.#standings.get(site)?.heldOffUntil ?? 0;
    return Math.max(0, Math.ceil((heldOffUntil - nowMs) / 1000));
  }

  /** Takes a token for one event: until there is one, in seconds; 0: it was taken. */
  waitSeconds(site: string, nowMs: number): number {
    const standing = this.#standings.get(site);
    if (standing !== undefined) {
      if (standing.heldOffUntil > nowMs) return Math.ceil((standing.heldOffUntil - nowMs) / 1000);
      if (standing.creditEvents >= this.#creditMax) return 1;
    }
    const admission = this.limits.take(this.#limit, site);
    if (admission instanceof Promise) {
      this.#lend(
        site,
        admission.then(({ retryAfterSeconds }) => retryAfterSeconds),
      );
      return 0;
    }
    const { retryAfterSeconds } = admission;
    if (retryAfterSeconds > 0) this.#standingOf(site).heldOffUntil = nowMs + retryAfterSeconds * 1000;
    return retryAfterSeconds;
  }

  #lend(site: string, waitingSeconds: Promise<number>): void {
    const standing = this.#standingOf(site);
    standing.creditEvents += 1;
    void waitingSeconds.then((seconds) => {
      standing.creditEvents -= 1;
      if (seconds > 0) standing.heldOffUntil = Date.now() + seconds * 1000;
    });
  }

  #standingOf(site: string): Standing {
    let standing = this.#standings.get(site);
    if (standing === undefined) {
      standing = { creditEvents: 0, heldOffUntil: 0 };
      this.#standings.set(site, standing);
    }
    return standing;
  }
}
