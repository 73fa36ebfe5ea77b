// How many events of a site intake takes: a bucket for each site, that all nodes share (rate-limits.ts). Intake decides
// at once and asks nobody: while the shared bucket is asked, what comes is let in on credit, a bounded amount, which
// the bucket has counted when it answers. Once it is empty the site is held off without asking for as long as it says.
import { LRUCache } from 'lru-cache';
import type { Admission, RateLimit, RateLimits } from './rate-limits.js';
import type { Standing } from './standing.js';

const SITES_MAX = 10_000;
/** How much is let in on credit: what the site may send in so long. Redis answers within 50 ms, or never. */
const CREDIT_MS = 100;

interface SiteState {
  /** Let in while the bucket is being asked. */
  creditEvents: number;
  /** Epoch milliseconds: until then there is nothing. */
  heldOffUntil: number;
  /** As the bucket was when it last answered; undefined: it has not yet. */
  admission: Admission | undefined;
}

export interface SiteRate {
  readonly eventsPerSecondMax: number;
  /** As much may come at once as in so long. */
  readonly burstSeconds: number;
}

export class SiteRates {
  readonly #limit: RateLimit;
  readonly #creditMax: number;
  readonly #standings = new LRUCache<string, SiteState>({ max: SITES_MAX });

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

  /** Takes a token for one event: until there is one, in seconds; 0: it was taken. */
  waitSeconds(site: string, nowMs: number): number {
    const standing = this.#standingOf(site);
    if (standing.heldOffUntil > nowMs) return Math.ceil((standing.heldOffUntil - nowMs) / 1000);
    if (standing.creditEvents >= this.#creditMax) return 1;
    const admission = this.limits.take(this.#limit, site);
    if (admission instanceof Promise) {
      void this.#lend(standing, admission);
      return 0;
    }
    standing.admission = admission;
    const { retryAfterSeconds } = admission;
    if (retryAfterSeconds > 0) standing.heldOffUntil = nowMs + retryAfterSeconds * 1000;
    return retryAfterSeconds;
  }

  /** As far as this node knows; takes nothing. Undefined: nothing was asked of it, or the bucket has not answered yet. */
  standingAt(site: string, nowMs: number): Standing | undefined {
    const { admission, heldOffUntil } = this.#standings.get(site) ?? {};
    if (admission === undefined) return undefined;
    const { requestsMax, windowMs } = this.#limit;
    return {
      max: requestsMax,
      windowSeconds: windowMs / 1000,
      remaining: admission.remainingRequests,
      fullInSeconds: admission.fullInSeconds,
      waitSeconds: Math.max(0, Math.ceil((heldOffUntil! - nowMs) / 1000)),
    };
  }

  async #lend(standing: SiteState, asked: Promise<Admission>): Promise<void> {
    standing.creditEvents += 1;
    const admission = await asked;
    standing.creditEvents -= 1;
    standing.admission = admission;
    const { retryAfterSeconds } = admission;
    if (retryAfterSeconds > 0) standing.heldOffUntil = Date.now() + retryAfterSeconds * 1000;
  }

  #standingOf(site: string): SiteState {
    let standing = this.#standings.get(site);
    if (standing === undefined) {
      standing = { creditEvents: 0, heldOffUntil: 0, admission: undefined };
      this.#standings.set(site, standing);
    }
    return standing;
  }
}
