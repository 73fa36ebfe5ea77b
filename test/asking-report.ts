// Asks one report of `reports/` about the rows of a test, without HTTP and cache: what its spec compares with
// a count of its own. The answer must be what the report says its answers look like.
import type { Pool } from 'pg';
import { inReadTransaction } from '../src/modules/query/read-transaction.js';
import { parseReport, type Report } from '../src/modules/query/reporting/report-definition.js';
import { normaliseQuery } from '../src/modules/query/request/report-query.js';
import type { Goal } from '../src/modules/query/vocabulary/goal.js';
import type { FunnelDefinition, SiteDefinitions } from '../src/modules/query/vocabulary/site-definitions.js';

export interface AskedSite {
  readonly pool: Pool;
  readonly site: string;
  readonly zone: string;
  readonly goals?: readonly Goal[];
  readonly funnels?: readonly FunnelDefinition[];
}

const TIMEOUT_MS = 10_000;

/** With the echo of the request: asked again, it must give the same. */
export async function askReport(
  report: Report,
  { pool, site, zone, goals = [], funnels = [] }: AskedSite,
  body: Readonly<Record<string, unknown>>,
): Promise<{ readonly results: unknown; readonly echo: Readonly<Record<string, unknown>> }> {
  const definitions: SiteDefinitions = {
    of: () => goals,
    goalsOf: () => goals,
    segmentOf: () => undefined,
    funnelOf: (_, id) => funnels.find((funnel) => funnel.id === id),
  };
  const { selection: request, parameters } = parseReport(report, body);
  const selection = normaliseQuery(request, { id: site }, { zone, now: Date.now(), earliest: null, goals });
  const { plan, echo } = report.plan(parameters, { selection, definitions });
  const results = await inReadTransaction(pool, { site, timeoutMs: TIMEOUT_MS }, (client) =>
    report.run({ client, factsTable: 'sessions_v1', selection, plan }),
  );
  expect(report.results.parse(results)).toEqual(results);
  return { results, echo: { ...body, ...echo } };
}
