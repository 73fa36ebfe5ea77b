// What settled days make of a large site's questions: a month by day, by page and by source, at several sizes of
// the site, each asked anew every time; and what settling costs. EVENTS=100000,1000000,10000000 chooses the
// sizes (ten million take some minutes and 5 GB to make), QUERY_SESSIONS_MAX from where on sites are sampled.
import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';
import { readConfig } from '../src/config/config.js';
import type { CachedReport } from '../src/modules/query/cache/report-cache.js';
import { ReportCache } from '../src/modules/query/cache/report-cache.js';
import { Freshness } from '../src/modules/query/freshness.js';
import { QueryTelemetry } from '../src/modules/query/query.telemetry.js';
import { parseReportRequest } from '../src/modules/query/request/report-request.js';
import {
  type ComputedReport,
  RunReportHandler,
  RunReportQuery,
} from '../src/modules/query/run-report.query.js';
import { settleDay } from '../src/modules/query/settled/settle-day.js';
import { wholeDaysOf } from '../src/modules/query/settled/settled-question.js';
import { createSettledTables, settledTablesOf } from '../src/modules/query/settled/settled-tables.js';
import { SiteChanges } from '../src/modules/query/site-changes.js';
import { SiteQuestions } from '../src/modules/query/site-questions.js';
import { Telemetry } from '../src/telemetry/telemetry.js';
import { createReadModels } from '../test/read-model-rows.js';
import { startMigratedPostgres } from '../test/servers/postgres.js';
import { BIG_SITE, fillReadModels, NOW } from './session-rows.js';

const SIZES = (process.env.EVENTS ?? '100000,1000000').split(',').map(Number);
const EVENTS_PER_SESSION = 3;
const TURNS_MAX = 40;
const SECONDS_A_QUESTION_MAX = 5;
const SITE = { id: BIG_SITE, timezone: 'UTC' };
const RANGE = { from: Date.parse('2026-10-21T00:00:00Z'), to: Date.parse('2026-11-20T00:00:00Z') };
const DATES = [RANGE.from, RANGE.to].map((at) => new Date(at).toISOString());

const QUESTIONS = {
  'series by day': { metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate'], dimensions: ['time:day'] },
  'total of the month': { metrics: ['visitors', 'visits'] },
  'top 10 sources': {
    metrics: ['visitors', 'visits'],
    dimensions: ['visit:source'],
    pagination: { limit: 10 },
  },
  'top 100 pages': {
    metrics: ['visitors', 'pageviews'],
    dimensions: ['event:page'],
    pagination: { limit: 100 },
  },
  'top 100 pages by pageviews': {
    metrics: ['pageviews', 'visits'],
    dimensions: ['event:page'],
    pagination: { limit: 100 },
  },
} as const;

class NoCache extends ReportCache<ComputedReport> {
  async get(_: string, compute: () => Promise<ComputedReport>): Promise<CachedReport<ComputedReport>> {
    return { value: await compute(), source: 'computed' };
  }
}

const postgres = await startMigratedPostgres();
try {
  const series: number[] = [];
  for (const events of SIZES) series.push(await benchmark(postgres.pool, events));
  const [least, most] = [series[0]!, series.at(-1)!];
  console.log(`series by day, p95: the largest site takes ${(most / least).toFixed(2)} times the smallest's`);
} finally {
  await postgres.stop();
}

/** p95 of the series, ms. */
async function benchmark(pool: Pool, events: number): Promise<number> {
  await createReadModels(pool);
  const { days, counts, visitors } = settledTablesOf(1);
  await pool.query(`TRUNCATE checkpoints; DROP TABLE IF EXISTS ${days}, ${counts}, ${visitors}`);
  const sessions = Math.round(events / EVENTS_PER_SESSION);
  await fillReadModels(pool, sessions);
  console.log(`\n${events.toLocaleString('en')} events in 30 days`);
  const before = await askAll(pool);
  await settle(pool, sessions);
  const after = await askAll(pool);
  for (const name of Object.keys(QUESTIONS)) {
    console.log(`  ${name}: ${said(before.get(name)!)} before, ${said(after.get(name)!)} settled`);
  }
  return quantile(after.get('series by day')!.ms, 0.95);
}

async function settle(pool: Pool, sessions: number): Promise<void> {
  await createSettledTables(pool, 1);
  const tables = settledTablesOf(1);
  const startedMs = performance.now();
  for (const day of wholeDaysOf(RANGE, 'UTC')!) {
    const place = { site: BIG_SITE, zone: 'UTC', day, tables, facts: 'sessions_v1' };
    await settleDay(pool, { ...place, valuesMax: 1_000, timeoutMs: 600_000 });
  }
  const ms = performance.now() - startedMs;
  await pool.query(`VACUUM ANALYZE ${tables.days}, ${tables.counts}, ${tables.visitors}`);
  const { rows } = await pool.query<{ mib: string; facts: string }>(
    `SELECT (sum(pg_total_relation_size(name::regclass)) / 1048576)::int AS mib,
      (pg_total_relation_size('sessions_v1') / 1048576)::int AS facts FROM unnest($1::text[]) AS name`,
    [[tables.days, tables.counts, tables.visitors]],
  );
  console.log(
    `  settling: ${(ms / 30).toFixed(0)} ms a day, ${((ms * 1000) / sessions).toFixed(1)} µs a session; ${rows[0]!.mib} MiB beside ${rows[0]!.facts} MiB of facts`,
  );
}

interface Taken {
  readonly ms: readonly number[];
  readonly source: string;
}

async function askAll(pool: Pool): Promise<ReadonlyMap<string, Taken>> {
  const handler = handlerOf(pool);
  const taken = new Map<string, Taken>();
  for (const [name, body] of Object.entries(QUESTIONS)) {
    const query = new RunReportQuery(SITE, parseReportRequest({ ...body, date_range: DATES }), NOW);
    const ms: number[] = [];
    let source = '';
    const endMs = performance.now() + SECONDS_A_QUESTION_MAX * 1000;
    for (let turn = 0; turn <= TURNS_MAX && (turn < 2 || performance.now() < endMs); turn++) {
      const startedMs = performance.now();
      const { report } = await handler.execute(query);
      if (turn > 0) ms.push(performance.now() - startedMs);
      const { meta } = report;
      source = [
        meta.source,
        ...(meta.sampled ? ['sampled'] : []),
        ...(meta.approximate ? ['estimated'] : []),
        ...(meta.other_row ? ['with (other)'] : []),
      ].join(', ');
    }
    taken.set(name, { ms, source });
  }
  return taken;
}

function handlerOf(pool: Pool): RunReportHandler {
  return new RunReportHandler(
    pool,
    readConfig({
      QUERY_TIMEOUT_MS: '600000',
      QUERY_SESSIONS_MAX: process.env.QUERY_SESSIONS_MAX ?? '3000000',
    }),
    new Freshness(pool, { versionFor: () => 1, versions: [1] }),
    new NoCache(),
    new QueryTelemetry(new Telemetry('silent')),
    new SiteQuestions(pool, { goalsOf: () => [], segmentOf: () => undefined, funnelOf: () => undefined }),
    new SiteChanges(pool),
  );
}

function said({ ms, source }: Taken): string {
  return `p50 ${quantile(ms, 0.5).toFixed(1)} ms, p95 ${quantile(ms, 0.95).toFixed(1)} ms (${source})`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
