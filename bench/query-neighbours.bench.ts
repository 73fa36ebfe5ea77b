// What others' data costs a site: filtered breakdowns of a site of a million sessions, in tables that hold
// nothing else and in tables that hold many times as much of others: first as the rows came, in the order of
// time, then with the days clustered that the product would have clustered, which leaves the last half day. Of a
// small site among them, too. And what read models are for: GROUP BY over one row an event, made of the same
// sessions, against our unfiltered report, its days settled where the product settles them. By default small:
// --sessions=100000 (1000000), --neighbours=20 (100) times as many, --rounds=30.
import type { Pool } from 'pg';
import { readConfig } from '../src/config/config.js';
import { parseReportRequest } from '../src/modules/query/request/report-request.js';
import type { RunReportHandler } from '../src/modules/query/run-report.query.js';
import { RunReportQuery } from '../src/modules/query/run-report.query.js';
import { startOwnPostgres } from '../test/servers/own-postgres.js';
import type { MigratedPostgres } from '../test/servers/postgres.js';
import { clusterDays } from './cluster-days.js';
import { type BenchmarkResult, type Fact, measure, median, quantile, report, seconds } from './measure.js';
import { option } from './option.js';
import { progress } from './product.js';
import { NoCache, reportHandler } from './report-handler.js';
import { BIG_SITE, fillReadModels, NOW, setCheckpoints, type SyntheticSite } from './session-rows.js';
import { settleDays } from './settle-days.js';

const SESSIONS = option('sessions', 100_000);
const NEIGHBOURS = option('neighbours', 20);
const ROUNDS = option('rounds', 30);
const RAW_ROUNDS = 5;
const NEIGHBOUR_SITES_EACH = 10;
const DAYS = 30;
/** Asked at noon of the last day. */
const [FROM, TO] = ['2026-10-21T12:00:00Z', '2026-11-20T12:00:00Z'];
const [WHOLE_DAYS_FROM, WHOLE_DAYS_TO] = ['2026-10-22T00:00:00Z', '2026-11-20T00:00:00Z'];
const P95_MS_MAX = 300;
const TIMES_MAX = 2;
const RATIO_MIN = 100;
const SMALL_SITE = { site: 'site-small', sessions: 1_000, rollup: false } as const;
const SMALL_P95_MS_MAX = 10;

const COUNTRIES = ['DE', 'AT', 'US', 'FR', 'GB', 'IN', 'JP', 'BR'];
const DIMENSIONS = ['visit:source', 'visit:entry_page', 'visit:city', 'visit:browser'];

/** Another one each time, so that nothing is remembered that a site's people would not ask again at once. */
function breakdown(turn: number, site: string): RunReportQuery {
  return ask(site, {
    metrics: ['visitors', 'visits'],
    dimensions: [DIMENSIONS[turn % DIMENSIONS.length]],
    filters: [['is', 'visit:country', [COUNTRIES[Math.floor(turn / DIMENSIONS.length) % COUNTRIES.length]]]],
    pagination: { limit: 100 },
  });
}

const SERIES = ask(BIG_SITE, {
  metrics: ['visitors', 'pageviews'],
  dimensions: ['time:day'],
  date_range: [WHOLE_DAYS_FROM, WHOLE_DAYS_TO],
});
const RAW_SERIES = `SELECT date_trunc('day', at, 'UTC'), count(DISTINCT visitor), count(*) FILTER (WHERE name = 'pageview')
  FROM raw_events WHERE site = $1 AND at >= $2 AND at < $3 AND NOT bot GROUP BY 1 ORDER BY 1`;

interface Tables {
  readonly postgres: MigratedPostgres;
  readonly handler: RunReportHandler;
}

const alone = await tables(0);
const among = await tables(NEIGHBOURS);
try {
  const facts = [
    { name: 'sessions of the site', value: SESSIONS, unit: '' },
    ...(await breakdowns('as they came')),
    ...(await cluster()),
    ...(await breakdowns('clustered')),
    ...(await smallSite()),
  ];
  report('query-neighbours', [await rawRows(alone)], facts);
} finally {
  await among.postgres.stop();
  await alone.postgres.stop();
}

function ask(site: string, body: Record<string, unknown>): RunReportQuery {
  const request = parseReportRequest({ date_range: [FROM, TO], ...body });
  return new RunReportQuery(
    { id: site, merchant: 'default', timezone: 'UTC', weekStart: 'monday' },
    request,
    NOW,
  );
}

async function tables(neighbours: number): Promise<Tables> {
  progress(`${SESSIONS} sessions of the site and ${neighbours} times as many of others`);
  const others: SyntheticSite[] = Array.from({ length: neighbours * NEIGHBOUR_SITES_EACH }, (_, index) => ({
    site: `site-${index}`,
    sessions: SESSIONS / NEIGHBOUR_SITES_EACH,
    rollup: false,
  }));
  // With the memory that the product gives it, which is more than tests have.
  const postgres = await startOwnPostgres();
  const site = { site: BIG_SITE, sessions: SESSIONS };
  await fillReadModels(postgres.pool, { sites: [site, SMALL_SITE, ...others], days: DAYS, until: NOW });
  await setCheckpoints(postgres.pool);
  return { postgres, handler: reportHandler(postgres.pool, new NoCache()) };
}

type Lie = 'as they came' | 'clustered';

/** In turn, so that what else the machine does hits both alike. */
async function breakdowns(rows: Lie): Promise<Fact[]> {
  const took = { alone: [] as number[], among: [] as number[] };
  for (let turn = -DIMENSIONS.length; turn < ROUNDS; turn++) {
    const query = breakdown(turn + DIMENSIONS.length, BIG_SITE);
    const answers: unknown[] = [];
    for (const [name, { handler }] of [['alone', alone] as const, ['among', among] as const]) {
      const taken = await seconds(async () => answers.push((await handler.execute(query)).report.results));
      if (turn >= 0) took[name].push(taken * 1_000);
    }
    if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) {
      throw new Error('Other sites have changed the answer');
    }
    if (turn % 10 === 0) progress(`${turn} of ${ROUNDS} rounds`);
  }
  const p95 = { alone: quantile(took.alone, 0.95), among: quantile(took.among, 0.95) };
  const times = median(took.among.map((ms, turn) => ms / took.alone[turn]!));
  const goal = (atMost: number) => (rows === 'clustered' ? { atMost } : {});
  return [
    { name: 'filtered breakdown alone, p50', value: median(took.alone), unit: 'ms' },
    { name: 'filtered breakdown alone, p95', value: p95.alone, unit: 'ms', ...goal(P95_MS_MAX) },
    { name: `among ${NEIGHBOURS} times as much, ${rows}, p50`, value: median(took.among), unit: 'ms' },
    { name: `among ${NEIGHBOURS} times as much, ${rows}, p95`, value: p95.among, unit: 'ms' },
    { name: `among others, ${rows} ÷ alone, median`, value: times, unit: 'times', ...goal(TIMES_MAX) },
    {
      name: `among others, ${rows} ÷ alone, of p95`,
      value: p95.among / p95.alone,
      unit: 'times',
      ...goal(TIMES_MAX),
    },
  ];
}

/** What it takes, without the rests between. */
async function cluster(): Promise<Fact[]> {
  progress('clustering the days of both');
  await clusterDays(alone.postgres.pool, NOW);
  const { pool } = among.postgres;
  const before = await megabytes(pool);
  const { rows, moveMs, cleaningMs } = await clusterDays(pool, NOW);
  const movingMs = moveMs.reduce((sum, ms) => sum + ms, 0);
  return [
    { name: 'clustering, moving one row', value: (movingMs / rows) * 1_000, unit: 'µs' },
    { name: 'clustering, one partition held up, p50', value: median(moveMs), unit: 'ms' },
    { name: 'clustering, one partition held up, p95', value: quantile(moveMs, 0.95), unit: 'ms' },
    { name: 'clustering, finding rows and cleaning up, a day', value: cleaningMs / DAYS, unit: 'ms' },
    { name: 'disk before', value: before, unit: 'MiB' },
    { name: 'disk afterwards', value: await megabytes(pool), unit: 'MiB' },
  ];
}

async function megabytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(relid)) AS bytes FROM pg_partition_tree('sessions_v1')`,
  );
  return Number(rows[0]!.bytes) / 2 ** 20;
}

async function smallSite(): Promise<Fact[]> {
  const took: number[] = [];
  for (let turn = -DIMENSIONS.length; turn < ROUNDS; turn++) {
    const query = breakdown(turn + DIMENSIONS.length, SMALL_SITE.site);
    const taken = await seconds(() => among.handler.execute(query));
    if (turn >= 0) took.push(taken * 1_000);
  }
  const p95 = quantile(took, 0.95);
  return [
    { name: `of a site of ${SMALL_SITE.sessions} among them, p50`, value: median(took), unit: 'ms' },
    {
      name: `of a site of ${SMALL_SITE.sessions} among them, p95`,
      value: p95,
      unit: 'ms',
      atMost: SMALL_P95_MS_MAX,
    },
  ];
}

async function rawRows({ postgres: { pool }, handler }: Tables): Promise<BenchmarkResult> {
  if (SESSIONS / DAYS >= readConfig({}).SETTLED_DAY_SESSIONS_MIN) {
    progress('settling its days, as the product does');
    await settleDays(pool, { from: Date.parse(WHOLE_DAYS_FROM), to: Date.parse(WHOLE_DAYS_TO) });
  }
  progress('one row an event');
  await makeRawEvents(pool);
  const raw = () =>
    pool.query<unknown[]>({
      text: RAW_SERIES,
      values: [BIG_SITE, WHOLE_DAYS_FROM, WHOLE_DAYS_TO],
      rowMode: 'array',
    });
  const counted = (await raw()).rows.map(([, visitors, pageviews]) => [Number(visitors), Number(pageviews)]);
  const answered = (await handler.execute(SERIES)).report.results.map(({ metrics }) => metrics);
  if (
    JSON.stringify(counted.map(([, views]) => views)) !== JSON.stringify(answered.map(([, views]) => views))
  ) {
    throw new Error('The answers differ');
  }
  const timed = async (work: () => Promise<unknown>) => ({ amount: 1, seconds: await seconds(work) });
  return measure({
    name: `a series by day of ${SESSIONS} sessions`,
    unit: 'answers',
    contenders: [
      { name: 'our report', run: () => timed(() => handler.execute(SERIES)) },
      { name: 'GROUP BY over raw event rows', run: () => timed(raw) },
    ],
    ratios: [{ of: 'our report', over: 'GROUP BY over raw event rows', atLeast: RATIO_MIN }],
    rounds: RAW_ROUNDS,
  });
}

/** As a plain table of events would be: with an index by site and time. */
async function makeRawEvents(pool: Pool): Promise<void> {
  await pool.query(`CREATE TABLE raw_events AS
    SELECT site, started_at + moment * interval '1 millisecond' AS at, coalesce(name, 'pageview') AS name, page, visitor, bot,
      session, source, referrer, country, city, browser, os, device
    FROM (SELECT *, unnest(event_offsets) AS moment, unnest(event_names) AS name, unnest(event_pages) AS page FROM sessions_v1) apart
    ORDER BY at`);
  await pool.query('CREATE INDEX ON raw_events (site, at)');
  await pool.query('VACUUM ANALYZE raw_events');
}
