// The handler that answers reports, on a pool of the caller's, without HTTP and the rest of the process.
import type { Pool } from 'pg';
import { readConfig } from '../src/config/config.js';
import { type CachedReport, ReportCache } from '../src/modules/query/cache/report-cache.js';
import { Freshness } from '../src/modules/query/freshness.js';
import { QueryTelemetry } from '../src/modules/query/query.telemetry.js';
import type { ReportText } from '../src/modules/query/report-text.js';
import { RunReportHandler } from '../src/modules/query/run-report.query.js';
import { SiteChanges } from '../src/modules/query/site-changes.js';
import { SiteQuestions } from '../src/modules/query/site-questions.js';
import { Telemetry } from '../src/telemetry/telemetry.js';

const NO_EXCESSES = [] as const;

export class NoCache extends ReportCache<ReportText> {
  find(): undefined {}

  async get(_: string, compute: () => Promise<ReportText>): Promise<CachedReport<ReportText>> {
    return { value: await compute(), source: 'computed' };
  }
}

export function reportHandler(
  pool: Pool,
  cache: ReportCache<ReportText>,
  settings: Readonly<Record<string, string>> = { QUERY_TIMEOUT_MS: '60000' },
): RunReportHandler {
  return new RunReportHandler(
    pool,
    readConfig(settings),
    new Freshness(pool, { versionFor: () => 1, versions: [1] }),
    cache,
    new QueryTelemetry(new Telemetry('silent')),
    new SiteQuestions(
      pool,
      {
        of: () => ({}),
        goalsOf: () => [],
        segmentOf: () => undefined,
        funnelOf: () => undefined,
      },
      { excessesOf: () => NO_EXCESSES },
    ),
    new SiteChanges(pool),
  );
}
