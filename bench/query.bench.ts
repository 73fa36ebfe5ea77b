// What the query side adds to hand-written SQL through pg, at one million events of one site:
// uncached and cached, each answer checked against the hand-written one before anything is timed.
import type { Pool } from 'pg';
import { MemoryReportCache } from '../src/modules/query/cache/report-cache.js';
import type { ReportText } from '../src/modules/query/report-text.js';
import { parseReportRequest } from '../src/modules/query/request/report-request.js';
import { RunReportQuery } from '../src/modules/query/run-report.query.js';
import { startMigratedPostgres } from '../test/servers/postgres.js';
import { type BenchmarkResult, type Contender, measure, quantile, report, seconds } from './measure.js';
import { NoCache, reportHandler } from './report-handler.js';
import { BIG_SITE, fillReadModels, NOW, setCheckpoints } from './session-rows.js';

const ROUNDS = 7;
const CACHED_TURNS = 200;
const SITE = { id: BIG_SITE, merchant: 'default', timezone: 'UTC', weekStart: 'monday' } as const;
const FROM = '2026-10-21T00:00:00Z';
const TO = '2026-11-20T00:00:00Z';

const ACTIVE = `FROM sessions_v1 WHERE site = $1 AND started_at >= $2::timestamptz - interval '48 hours'
  AND started_at < $3 AND ended_at >= $2 AND NOT bot`;
const EVENTS = `(SELECT *, started_at + moment * interval '1 millisecond' AS at
  FROM (SELECT started_at, visitor, unnest(event_offsets) AS moment, unnest(event_names) AS name,
    unnest(event_pages) AS page ${ACTIVE}) AS apart) AS events
  WHERE name IS DISTINCT FROM 'engagement' AND at >= $2 AND at < $3`;

interface Case {
  readonly name: string;
  readonly body: Record<string, unknown>;
  /** Columns: the metrics in order; rows in the order of the answer. */
  readonly sql: string;
  /** Share of the hand-written rate to be reached; none where the rollup has an unfair advantage. */
  readonly atLeast?: number;
}

const CASES: readonly Case[] = [
  {
    name: 'series by day',
    body: { metrics: ['visitors', 'pageviews'], dimensions: ['time:day'] },
    sql: `SELECT count(DISTINCT visitor), count(*) FILTER (WHERE name IS NULL OR name = 'pageview')
      FROM ${EVENTS} GROUP BY date_trunc('day', at) ORDER BY date_trunc('day', at)`,
  },
  {
    name: 'sources of one country',
    body: {
      metrics: ['visitors', 'visits'],
      dimensions: ['visit:source'],
      filters: [['is', 'visit:country', ['DE']]],
    },
    sql: `SELECT count(DISTINCT visitor), count(*) ${ACTIVE} AND country = 'DE'
      GROUP BY source ORDER BY 1 DESC, coalesce(source, 'Direct / None')`,
    atLeast: 1 / 1.15,
  },
  {
    name: 'top 100 pages',
    body: { metrics: ['visitors', 'pageviews'], dimensions: ['event:page'], pagination: { limit: 100 } },
    sql: `SELECT count(DISTINCT visitor), count(*) FILTER (WHERE name IS NULL OR name = 'pageview')
      FROM ${EVENTS} GROUP BY page ORDER BY 1 DESC, page COLLATE "C" LIMIT 100`,
    atLeast: 1 / 1.15,
  },
];

const postgres = await startMigratedPostgres();
try {
  await fillReadModels(postgres.pool);
  await setCheckpoints(postgres.pool);
  report('query', await benchmarks(postgres.pool));
} finally {
  await postgres.stop();
}

async function benchmarks(pool: Pool): Promise<readonly BenchmarkResult[]> {
  const results: BenchmarkResult[] = [];
  for (const one of CASES) results.push(await benchmark(pool, one));
  return results;
}

async function benchmark(pool: Pool, { name, body, sql, atLeast }: Case): Promise<BenchmarkResult> {
  const query = new RunReportQuery(SITE, parseReportRequest({ ...body, date_range: [FROM, TO] }), NOW);
  const uncached = reportHandler(pool, new NoCache());
  const cached = reportHandler(
    pool,
    new MemoryReportCache<ReportText>({
      bytesMax: 10_000_000,
      entriesMax: 100,
      bytesOf: ({ bytes }) => bytes,
    }),
  );
  const byHand = () => pool.query<string[]>({ text: sql, values: [BIG_SITE, FROM, TO], rowMode: 'array' });
  const answer = (await uncached.execute(query)).report.results.map(({ metrics }) => metrics);
  const expected = (await byHand()).rows.map((row) => row.map(Number));
  if (JSON.stringify(answer) !== JSON.stringify(expected)) throw new Error(`${name}: the answers differ`);

  const latenciesMs: number[] = [];
  const timed = async (work: () => Promise<unknown>) => {
    const taken = await seconds(work);
    return { amount: 1, seconds: taken };
  };
  const contenders: readonly Contender[] = [
    {
      name: 'uncached',
      run: async () => {
        const turn = await timed(() => uncached.execute(query));
        latenciesMs.push(turn.seconds * 1000);
        return turn;
      },
    },
    { name: 'hand-written SQL', run: () => timed(byHand) },
    {
      name: 'cached',
      run: async () => ({
        amount: CACHED_TURNS,
        seconds: await seconds(async () => {
          for (let turn = 0; turn < CACHED_TURNS; turn++) await cached.execute(query);
        }),
      }),
    },
  ];
  const result = await measure({
    name,
    unit: 'answers',
    contenders,
    ratios: [{ of: 'uncached', over: 'hand-written SQL', ...(atLeast !== undefined && { atLeast }) }],
    rounds: ROUNDS,
  });
  // Without the warm-up.
  const latencyMs = (share: number): number => Math.round(quantile(latenciesMs.slice(1), share));
  return {
    ...result,
    name: `${name}: uncached p50 ${latencyMs(0.5)} ms, p95 ${latencyMs(0.95)} ms`,
  };
}
