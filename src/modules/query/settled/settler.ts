// Settles the days of large sites in the background, on every node that answers queries: one day at a time,
// newest first, resting as long as it worked. Nothing depends on it but speed: what is not settled is
// answered from the facts. Nodes share the work by the day.
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Serving } from '../../projections/read-models/serving.js';
import type { Range } from '../request/date-range.js';
import {
  daysOver,
  type LargeSite,
  largeSitesAmong,
  type Unsettled,
  unsettledDays,
} from './days-to-settle.js';
import { type DayToSettle, forgetDays, settleDay } from './settle-day.js';
import { createSettledTables, settledTablesOf } from './settled-tables.js';
import { SettlingTelemetry } from './settling.telemetry.js';

/** Of each dimension of a day. */
const VALUES_MAX = 1_000;
const SITES_AT_ONCE = 50;
/** Of one site, before it is another's turn. */
const DAYS_IN_A_ROW_MAX = 31;
const STATEMENT_TIMEOUT_MS = 120_000;
const FIRST_ROUND_AFTER_MS = 10_000;
const ROUND_MS = 60_000;
/** A node that has nothing to settle spends so much less time looking than resting. */
const REST_PER_LOOK = 20;
const REST_MS_MIN = 50;
const TRIED_AGAIN_AFTER_MS = 3_600_000;
const FAILED_MAX = 10_000;

/** Days that are not settled: those that it was not the turn of, and those that could not be. */
interface Left {
  readonly due: number;
  readonly failed: number;
}

type Settings = Pick<Config, 'SETTLED_DAY_SESSIONS_MIN'>;

@Injectable()
export class Settler implements OnModuleInit, OnModuleDestroy {
  readonly #stop = new AbortController();
  /** Site and day → when it may be tried again. */
  readonly #failed = new LRUCache<string, number>({ max: FAILED_MAX });
  #running: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Settings,
    private readonly sites: SiteDirectory,
    private readonly serving: Serving,
    private readonly telemetry: SettlingTelemetry,
  ) {}

  onModuleInit(): void {
    this.#running = this.#run();
  }

  /** A day that is half done is done again by whoever comes next. */
  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Once over all sites. */
  async round(now: number): Promise<Left> {
    const left = { due: 0, failed: 0 };
    for (const version of this.serving.versions) {
      if (!(await createSettledTables(this.pool, version))) continue;
      const zones = new Map(
        this.sites
          .list()
          .filter(({ id }) => this.serving.versionFor(id) === version)
          .map(({ id, timezone }) => [id, timezone] as const),
      );
      const ids = [...zones.keys()];
      for (let start = 0; start < ids.length && !this.#stopped; start += SITES_AT_ONCE) {
        const large = await this.#largeAmong(ids.slice(start, start + SITES_AT_ONCE), version);
        for (const site of large) {
          const of = await this.#settleSite(site, { zone: zones.get(site.site)!, version, now });
          left.due += of.due;
          left.failed += of.failed;
        }
      }
    }
    this.telemetry.roundEnded({ unsettled: left.due + left.failed, at: now });
    return left;
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    await this.#rest(FIRST_ROUND_AFTER_MS);
    while (!this.#stopped) {
      const startedMs = performance.now();
      let due = 0;
      try {
        ({ due } = await this.round(Date.now()));
      } catch (error) {
        if (!this.#stopped) this.telemetry.roundFailed(error);
      }
      const tookMs = performance.now() - startedMs;
      await this.#rest(due > 0 ? REST_MS_MIN : Math.max(ROUND_MS, REST_PER_LOOK * tookMs));
    }
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
  }

  async #largeAmong(sites: readonly string[], version: number): Promise<readonly LargeSite[]> {
    const startedMs = performance.now();
    const client = await this.pool.connect();
    try {
      return await largeSitesAmong(client, sites, {
        rollup: `traffic_v${version}`,
        daySessionsMin: this.config.SETTLED_DAY_SESSIONS_MIN,
      });
    } finally {
      client.release();
      await this.#rest(performance.now() - startedMs);
    }
  }

  async #settleSite(
    large: LargeSite,
    { zone, version, now }: { readonly zone: string; readonly version: number; readonly now: number },
  ): Promise<Left> {
    const { site } = large;
    const tables = settledTablesOf(version);
    const { days, gone } = await this.#unsettled(site, daysOver(large, now, zone), version);
    const due = days.filter(({ from }) => (this.#failed.get(`${site} ${from}`) ?? 0) <= now);
    let done = 0;
    let failed = days.length - due.length;
    for (const day of due.slice(0, DAYS_IN_A_ROW_MAX)) {
      if (this.#stopped) break;
      const asked = {
        ...{ site, zone, day, tables, facts: `sessions_v${version}` },
        ...{ valuesMax: VALUES_MAX, timeoutMs: STATEMENT_TIMEOUT_MS },
      };
      if (await this.#settleDay(asked, now)) done++;
      else failed++;
    }
    if (gone.length > 0) await forgetDays(this.pool, tables, { site, days: gone });
    return { due: days.length - done - failed, failed };
  }

  async #unsettled(site: string, days: readonly Range[], version: number): Promise<Unsettled> {
    const client = await this.pool.connect();
    try {
      return await unsettledDays(client, { site, days }, settledTablesOf(version));
    } finally {
      client.release();
    }
  }

  async #settleDay(asked: DayToSettle, now: number): Promise<boolean> {
    const { site, day } = asked;
    const key = `${site} ${day.from}`;
    const startedMs = performance.now();
    try {
      const outcome = await settleDay(this.pool, asked, this.#stop.signal);
      this.telemetry.settled(outcome, (performance.now() - startedMs) / 1000);
      this.#failed.delete(key);
      return true;
    } catch (error) {
      if (this.#stopped) return false;
      this.telemetry.dayFailed({ site, day: new Date(day.from) }, error);
      this.#failed.set(key, now + TRIED_AGAIN_AFTER_MS);
      return false;
    } finally {
      await this.#rest(Math.max(REST_MS_MIN, performance.now() - startedMs));
    }
  }
}
