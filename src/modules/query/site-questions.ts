// Makes a request about a site complete, with what only the site knows: its zone, the segments and goals
// that people defined, and for the range `all` when its data begins.
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { ReadModelsState } from './freshness.js';
import { normaliseQuery, type ReportQuery } from './request/report-query.js';
import type { ReportRequest } from './request/report-request.js';
import { withSegments } from './request/segments.js';
import { firstSessionOf } from './site-history.js';
import { SiteDefinitions } from './vocabulary/site-definitions.js';

export interface ReportSite {
  readonly id: string;
  /** IANA name. */
  readonly timezone: string;
}

export interface Asked {
  readonly site: ReportSite;
  readonly request: ReportRequest;
  /** Epoch milliseconds. */
  readonly now: number;
}

@Injectable()
export class SiteQuestions {
  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(SiteDefinitions) private readonly definitions: SiteDefinitions,
  ) {}

  /** @throws Problem 400 for what makes no sense or is not there, 422 for what costs too much */
  async normalised({ site, request, now }: Asked, state: ReadModelsState): Promise<ReportQuery> {
    const earliest = request.date_range === 'all' ? await firstSessionOf(this.pool, site.id, state) : null;
    const resolved = withSegments(request, { site: site.id, definitions: this.definitions });
    const goals = this.definitions.goalsOf(site.id);
    return normaliseQuery(resolved, site, { zone: site.timezone, now, earliest, goals });
  }
}
