// What others' data costs a site: filtered breakdowns of a site of a million sessions, in tables that hold
// nothing else and in tables that hold many times as much of others, in the order of time as it came. And
// what read models are for: GROUP BY over one row an event, made of the same sessions, against our
// unfiltered report, its days settled where the product settles them. By default small: --sessions=100000
// (1000000), --neighbours=20 (100) times as many, --rounds=30.
import type { Pool } from 'pg';
import { readConfig } from '../src/config/config.js';
import { parseReportRequest } from '../src/modules/query/request/report-request.js';
import type { RunReportHandler } from '../src/modules/query/run-report.query.js';
import { RunReportQuery } from '../src/modules/query/run-report.query.js';
import { type MigratedPostgres, startMigratedPostgres } from '../test/servers/postgres.js';
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
const UNTIL = Date.parse('2026-11-20T00:00:00Z');
const [FROM, TO] = ['2026-10-21T00:00:00Z', '2026-11-20T00:00:00Z'];
const P95_MS_MAX = 300;
const TIMES_MAX = 2;
const RATIO_MIN = 100;

const COUNTRIES = ['DE', 'AT', 'US', 'FR', 'GB', 'IN', 'JP', 'BR'];
const DIMENSIONS = ['visit:source', 'visit:entry_page', 'visit:city', 'visit:browser'];

/** Another one each time, so that nothing is remembered that a site's people would not ask again at once. */
function breakdown(turn: number): RunReportQuery {
  return ask({
    metrics: ['visitors', 'visits'],
    dimensions: [DIMENSIONS[turn % DIMENSIONS.length]],
    filters: [['is', 'visit:country', [COUNTRIES[Math.floor(turn / DIMENSIONS.length) % COUNTRIES.length]]]],
    pagination: { limit: 100 },
  });
}

const SERIES = ask({ metrics: ['visitors', 'pageviews'], dimensions: ['time:day'] });
const RAW_SERIES = `SELECT date_trunc('day', at, 'UTC'), count(DISTINCT visitor), count(*) FILTER (WHERE name = 'pageview')
  FROM raw_events WHERE site = $1 AND at >= $2 AND at < $3 AND NOT bot GROUP BY 1 ORDER BY 1`;

interface Tables {
  readonly postgres: MigratedPostgres;
  readonly handler: RunReportHandler;
}

const alone = await tables(0);
const among = await tables(NEIGHBOURS);
try {
  const facts = await breakdowns();
  report('query-neighbours', [await rawRows(alone)], facts);
} finally {
  await among.postgres.stop();
  await alone.postgres.stop();
}

function ask(body: Record<string, unknown>): RunReportQuery {
  const request = parseReportRequest({ ...body, date_range: [FROM, TO] });
  return new RunReportQuery({ id: BIG_SITE, timezone: 'UTC', weekStart: 'monday' }, request, NOW);
}

async function tables(neighbours: number): Promise<Tables> {
  progress(`${SESSIONS} sessions of the site and ${neighbours} times as many of others`);
  const others: SyntheticSite[] = Array.from({ length: neighbours * NEIGHBOUR_SITES_EACH }, (_, index) => ({
    site: `site-${index}`,
    sessions: SESSIONS / NEIGHBOUR_SITES_EACH,
    rollup: false,
  }));
  const postgres = await startMigratedPostgres();
  const site = { site: BIG_SITE, sessions: SESSIONS };
  await fillReadModels(postgres.pool, { sites: [site, ...others], days: DAYS, until: UNTIL });
  await setCheckpoints(postgres.pool);
  return { postgres, handler: reportHandler(postgres.pool, new NoCache()) };
}

/** In turn, so that what else the machine does hits both alike. */
async function breakdowns(): Promise<Fact[]> {
  const took = { alone: [] as number[], among: [] as number[] };
  for (let turn = -DIMENSIONS.length; turn < ROUNDS; turn++) {
    const query = breakdown(turn + DIMENSIONS.length);
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
  return [
    { name: 'sessions of the site', value: SESSIONS, unit: '' },
    { name: 'filtered breakdown, p50', value: median(took.alone), unit: 'ms' },
    { name: 'filtered breakdown, p95', value: p95.alone, unit: 'ms', atMost: P95_MS_MAX },
    { name: `among ${NEIGHBOURS} times as much, p50`, value: median(took.among), unit: 'ms' },
    { name: `among ${NEIGHBOURS} times as much, p95`, value: p95.among, unit: 'ms' },
    { name: 'among others ÷ alone, median of rounds', value: times, unit: 'times', atMost: TIMES_MAX },
    { name: 'among others ÷ alone, of p95', value: p95.among / p95.alone, unit: 'times', atMost: TIMES_MAX },
  ];
}

async function rawRows({ postgres: { pool }, handler }: Tables): Promise<BenchmarkResult> {
  if (SESSIONS / DAYS >= readConfig({}).SETTLED_DAY_SESSIONS_MIN) {
    progress('settling its days, as the product does');
    await settleDays(pool, { from: Date.parse(FROM), to: Date.parse(TO) });
  }
  progress('one row an event');
  await makeRawEvents(pool);
  const raw = () =>
    pool.query<unknown[]>({ text: RAW_SERIES, values: [BIG_SITE, FROM, TO], rowMode: 'array' });
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
