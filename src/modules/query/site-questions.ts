// Makes a request about a site complete, with what only the site knows: its zone and weeks, the segments and goals
// that people defined, what is hidden because of a quota, and for the range `all` when its data begins. Dashboards ask the same again and
// again, and calendars are slow to reckon with: what was made complete is remembered while it would
// come out the same.
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Pool } from 'pg';
import type { WeekStart } from '../../events/site.events.js';
import type { Excess } from '../auth/quotas/excess.js';
import { QuotaDirectory } from '../auth/quotas/quota.directory.js';
import type { ReadModelsState } from './freshness.js';
import { filterToWire } from './request/filters.js';
import { normaliseQuery, type ReportQuery } from './request/report-query.js';
import type { ReportRequest } from './request/report-request.js';
import { withSegments } from './request/segments.js';
import { firstSessionOf } from './site-history.js';
import type { Goal } from './vocabulary/goal.js';
import { SiteDefinitions } from './vocabulary/site-definitions.js';

export interface ReportSite {
  readonly id: string;
  readonly merchant: string;
  /** IANA name. */
  readonly timezone: string;
  readonly weekStart: WeekStart;
}

export interface Asked {
  readonly site: ReportSite;
  readonly request: ReportRequest;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What a request's meaning depends on besides its text. */
export interface Standing {
  readonly site: ReportSite;
  readonly definitions: object;
  /** Of the merchant: another array as soon as something is hidden or shown. */
  readonly excesses: readonly Excess[];
  readonly quarter: number;
}

interface Remembered {
  readonly query: ReportQuery;
  /** Of the site, when it was made complete: another array as soon as one has changed. */
  readonly goals: readonly Goal[];
  readonly excesses: readonly Excess[];
}

const REMEMBERED_MAX = 10_000;
const REMEMBERED_CHARACTERS_MAX = 16_777_216;
/** Of a bucket's bound and label, about. */
const CHARACTERS_PER_BUCKET = 50;
/** Whatever the zone, days and hours begin with one of them: of everything but `24h`, which moves every second. */
const QUARTER_MS = 15 * 60_000;
const MOVING_RANGE = '24h';
/** Begins with the site's data, which the database must be asked for. */
const WHOLE_RANGE = 'all';

@Injectable()
export class SiteQuestions {
  readonly #remembered = new LRUCache<string, Remembered>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_CHARACTERS_MAX,
    sizeCalculation: ({ query }, key) => key.length * 3 + query.buckets.labels.length * CHARACTERS_PER_BUCKET,
  });

  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(SiteDefinitions) private readonly definitions: SiteDefinitions,
    @Inject(QuotaDirectory) private readonly quotas: Pick<QuotaDirectory, 'excessesOf'>,
  ) {}

  /** While it stands, the same request becomes the same query; null: this one may become another at any time. */
  standingOf({ site, request, now }: Asked): Standing | null {
    if (request.date_range === MOVING_RANGE || request.date_range === WHOLE_RANGE) return null;
    const excesses = this.quotas.excessesOf(site.merchant);
    return { site, definitions: this.definitions.of(site.id), excesses, quarter: quarterOf(now) };
  }

  stands({ site, definitions, excesses, quarter }: Standing, asked: Omit<Asked, 'request'>): boolean {
    // The directory has another object for a site that has changed.
    if (site !== asked.site || quarter !== quarterOf(asked.now)) return false;
    if (excesses !== this.quotas.excessesOf(site.merchant)) return false;
    return definitions === this.definitions.of(site.id);
  }

  /**
   * The same object for the same question.
   * @throws Problem 400 for what makes no sense or is not there, 422 for what costs too much
   */
  async normalised({ site, request, now }: Asked, state: ReadModelsState): Promise<ReportQuery> {
    const earliest =
      request.date_range === WHOLE_RANGE ? await firstSessionOf(this.pool, site.id, state) : null;
    const resolved = withSegments(request, { site: site.id, definitions: this.definitions });
    const goals = this.definitions.goalsOf(site.id);
    const { timezone: zone, weekStart } = site;
    const excesses = this.quotas.excessesOf(site.merchant);
    const context = { zone, weekStart, now, earliest, goals, excesses };
    const complete = () => normaliseQuery(resolved, site, context);
    if (request.date_range === MOVING_RANGE) return complete();
    const filters = resolved.filters.map(filterToWire);
    const quarter = quarterOf(now);
    const key = JSON.stringify([site.id, zone, weekStart, quarter, earliest, { ...resolved, filters }]);
    const known = this.#remembered.get(key);
    if (known?.goals === goals && known.excesses === excesses) return known.query;
    const query = complete();
    this.#remembered.set(key, { query, goals, excesses });
    return query;
  }
}

const quarterOf = (now: number): number => Math.floor(now / QUARTER_MS);
