// Between Plausible's endpoints and the one planner: finds the site that a request names, and asks
// the native query that a translator makes of the request.
import { Inject, Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { type Caller, reaches, siteUnknown } from '../../../auth/access.js';
import { type Site, SiteDirectory } from '../../../auth/directories/site.directory.js';
import { parsedBy } from '../../request/parsed-by.js';
import { parseReportRequest } from '../../request/report-request.js';
import { RunReportQuery } from '../../run-report.query.js';
import { SiteDefinitions } from '../../vocabulary/site-definitions.js';
import type { Translate } from './translation.js';

const SITE_ID_CHARACTERS_MAX = 300;
const naming = z.looseObject({ site_id: z.string().min(1).max(SITE_ID_CHARACTERS_MAX) });

@Injectable()
export class PlausibleReports {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    @Inject(SiteDefinitions) private readonly definitions: SiteDefinitions,
  ) {}

  /** @throws Problem */
  async answer<Answer>(caller: Caller, request: unknown, translate: Translate<Answer>): Promise<Answer> {
    const now = Date.now();
    const site = this.siteOf(caller, request);
    const goals = this.definitions.goalsOf(site.id);
    const context = { domain: site.domain, zone: site.timezone, goals, now };
    const { query, answer } = translate(request, context);
    const { report } = await this.queries.execute(new RunReportQuery(site, parseReportRequest(query), now));
    return answer(report);
  }

  /** By domain, id or tracking id, of which the domain may be another merchant's. */
  private siteOf(caller: Caller, request: unknown): Site {
    const { site_id: name } = parsedBy(naming, request);
    const named = [this.sites.find(name), this.sites.findByTrackingId(name)];
    const site = named.find((one) => one !== undefined && reaches(caller, one));
    if (site === undefined) throw siteUnknown();
    return site;
  }
}
