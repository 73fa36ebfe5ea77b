// One computation per site and beat, however many ask. A snapshot serves everybody until its beat is
// over; whoever asks then starts the next one, and all others wait for the same. Nothing is computed
// that nobody asks for, and all sites of a process together hold at most a few connections.
import { LRUCache } from 'lru-cache';
import { digestOf } from '../digest.js';
import type { FreshnessMeta } from '../freshness.js';
import type { IncompleteMeta } from '../incomplete.js';
import type { RealtimeNumbers } from './realtime-report.js';

/** As often as a snapshot is made at most. */
export const BEAT_MS = 1_000;
/** A site whose numbers take long is asked about less often: the database works on it this share of time at most. */
const SHARE_OF_TIME_MAX = 0.1;
const COMPUTATIONS_MAX = 2;
const SITES_MAX = 1_000;

export interface RealtimeReport extends RealtimeNumbers {
  readonly meta: FreshnessMeta &
    IncompleteMeta & {
      /** The moment that the numbers are about, ISO 8601. */
      readonly at: string;
    };
}

export interface Snapshot {
  readonly report: RealtimeReport;
  /** Of the numbers, and of `meta` only what they lack: the same for the same numbers. */
  readonly digest: string;
  /** `performance.now()` until which it is the latest there is. */
  readonly freshUntil: number;
}

export type ComputeRealtime = (site: string) => Promise<RealtimeReport>;

export class RealtimeSnapshots {
  readonly #latest = new LRUCache<string, Snapshot>({ max: SITES_MAX });
  readonly #underWay = new Map<string, Promise<Snapshot>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(private readonly compute: ComputeRealtime) {}

  /** At most a beat old. Whoever asks for a site while it is being computed gets what comes of that. */
  of(site: string): Promise<Snapshot> {
    const latest = this.#latest.get(site);
    if (latest !== undefined && performance.now() < latest.freshUntil) return Promise.resolve(latest);
    const underWay = this.#underWay.get(site);
    if (underWay !== undefined) return underWay;
    const computing = this.#make(site).finally(() => this.#underWay.delete(site));
    this.#underWay.set(site, computing);
    return computing;
  }

  /** When nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay.values());
  }

  async #make(site: string): Promise<Snapshot> {
    await this.#turn();
    const startedAt = performance.now();
    try {
      const report = await this.compute(site);
      const tookMs = performance.now() - startedAt;
      const { meta, ...numbers } = report;
      const { incomplete } = meta;
      const snapshot = {
        report,
        digest: digestOf(JSON.stringify({ ...numbers, incomplete })),
        freshUntil: startedAt + Math.max(BEAT_MS, tookMs / SHARE_OF_TIME_MAX),
      };
      this.#latest.set(site, snapshot);
      return snapshot;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** First come, first served. */
  async #turn(): Promise<void> {
    if (this.#running < COMPUTATIONS_MAX) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
