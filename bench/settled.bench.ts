// What settled days make of a large site's questions: a month by day, by source and by page, each asked anew
// every time, of a small site and of a large one, before their days are settled and after; and what settling
// costs. --small=33000 and --large=333000 sessions (three million take some minutes and 5 GB to make),
// --sessions-max=3000000 from where on sites are sampled, --turns=40.
import type { Pool } from 'pg';
import { parseReportRequest } from '../src/modules/query/request/report-request.js';
import { type RunReportHandler, RunReportQuery } from '../src/modules/query/run-report.query.js';
import type { SettledTables } from '../src/modules/query/settled/settled-tables.js';
import { type MigratedPostgres, startMigratedPostgres } from '../test/servers/postgres.js';
import { type Fact, median, quantile, report, seconds } from './measure.js';
import { option } from './option.js';
import { progress } from './product.js';
import { NoCache, reportHandler } from './report-handler.js';
import { BIG_SITE, fillReadModels, NOW, setCheckpoints } from './session-rows.js';
import { settleDays } from './settle-days.js';

const SIZES = { small: option('small', 33_000), large: option('large', 333_000) } as const;
const SESSIONS_MAX = option('sessions-max', 3_000_000);
const TURNS = option('turns', 40);
/** Of a question that takes long. */
const SECONDS_MAX = 8;
const SERIES_P95_MS_MAX = 15;
const SERIES_TIMES_MAX = 1.25;
const UNTIL = Date.parse('2026-11-20T00:00:00Z');
const DAYS = 30;
const RANGE = { from: UNTIL - DAYS * 86_400_000, to: UNTIL };
const DATES = [RANGE.from, RANGE.to].map((at) => new Date(at).toISOString());

const SERIES = 'series by day';
const QUESTIONS: Readonly<Record<string, object>> = {
  [SERIES]: { metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate'], dimensions: ['time:day'] },
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
};

interface Site {
  readonly sessions: number;
  readonly postgres: MigratedPostgres;
  readonly handler: RunReportHandler;
}

const sites: Site[] = [];
try {
  for (const sessions of Object.values(SIZES)) sites.push(await siteOf(sessions));
  const facts = await allFacts(sites[0]!, sites[1]!);
  report('settled', [], facts);
} finally {
  for (const { postgres } of sites) await postgres.stop();
}

async function siteOf(sessions: number): Promise<Site> {
  progress(`${sessions} sessions in ${DAYS} days`);
  const postgres = await startMigratedPostgres();
  await fillReadModels(postgres.pool, { sites: [{ site: BIG_SITE, sessions }], days: DAYS, until: UNTIL });
  await setCheckpoints(postgres.pool);
  const settings = { QUERY_SESSIONS_MAX: String(SESSIONS_MAX), QUERY_TIMEOUT_MS: '600000' };
  return { sessions, postgres, handler: reportHandler(postgres.pool, new NoCache(), settings) };
}

async function allFacts(small: Site, large: Site): Promise<Fact[]> {
  const before = await askAll([small, large], 'not settled');
  const costs = [...(await settle(small)), ...(await settle(large))];
  const after = await askAll([small, large], 'settled');
  const [ofSmall, ofLarge] = [small, large].map(({ sessions }) => after.series.get(sessions)!);
  const p95 = quantile(ofLarge!, 0.95);
  return [
    ...before.facts,
    ...costs,
    ...after.facts,
    { name: `${SERIES}, large, p95`, value: p95, unit: 'ms', atMost: SERIES_P95_MS_MAX },
    {
      name: `${SERIES}, large ÷ small, of medians`,
      value: median(ofLarge!) / median(ofSmall!),
      unit: 'times',
      atMost: SERIES_TIMES_MAX,
    },
  ];
}

async function settle({ postgres: { pool }, sessions }: Site): Promise<Fact[]> {
  progress(`settling ${sessions} sessions`);
  let tables: SettledTables;
  const taken = await seconds(async () => (tables = await settleDays(pool, RANGE)));
  const names = [tables!.days, tables!.counts, tables!.visitors];
  await pool.query(`VACUUM ANALYZE ${names.join(', ')}`);
  const name = `settling ${sessions} sessions`;
  return [
    { name: `${name}, each`, value: (taken * 1e6) / sessions, unit: 'µs' },
    { name: `${name}, a day`, value: (taken * 1_000) / DAYS, unit: 'ms' },
    { name: `${name}, size`, value: await mebibytes(pool, names), unit: 'MiB' },
    { name: `the facts of ${sessions} sessions`, value: await mebibytes(pool, ['sessions_v1']), unit: 'MiB' },
  ];
}

/** With their partitions. */
async function mebibytes(pool: Pool, names: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ mib: number }>(
    `SELECT (sum(pg_total_relation_size(oid)) / 1048576)::int AS mib FROM pg_class
      WHERE oid = ANY($1::regclass[]) OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY($1::regclass[]))`,
    [names],
  );
  return rows[0]!.mib;
}

interface Asked {
  readonly facts: readonly Fact[];
  /** By the site's sessions: ms. */
  readonly series: ReadonlyMap<number, readonly number[]>;
}

/** The sites in turn, so that what else the machine does hits them alike. */
async function askAll(asked: readonly Site[], when: string): Promise<Asked> {
  const facts: Fact[] = [];
  const series = new Map<number, readonly number[]>();
  for (const [name, body] of Object.entries(QUESTIONS)) {
    progress(`${when}: ${name}`);
    const query = new RunReportQuery(
      { id: BIG_SITE, merchant: 'default', timezone: 'UTC', weekStart: 'monday' },
      parseReportRequest({ ...body, date_range: DATES }),
      NOW,
    );
    const taken = await inTurns(asked, query);
    for (const [site, { ms, source }] of taken) {
      const about = `${name}, ${site.sessions} sessions, ${source}`;
      facts.push({ name: `${about}, p50`, value: median(ms), unit: 'ms' });
      facts.push({ name: `${about}, p95`, value: quantile(ms, 0.95), unit: 'ms' });
      if (name === SERIES) series.set(site.sessions, ms);
    }
  }
  return { facts, series };
}

async function inTurns(
  asked: readonly Site[],
  query: RunReportQuery,
): Promise<ReadonlyMap<Site, { readonly ms: number[]; readonly source: string }>> {
  const taken = new Map(asked.map((site) => [site, { ms: [] as number[], source: '' }]));
  const endMs = performance.now() + SECONDS_MAX * 1_000;
  for (let turn = 0; turn <= TURNS && (turn < 2 || performance.now() < endMs); turn++) {
    for (const site of asked) {
      let source = '';
      const ms = 1_000 * (await seconds(async () => (source = await answeredFrom(site, query))));
      taken.get(site)!.source = source;
      if (turn > 0) taken.get(site)!.ms.push(ms);
    }
  }
  return taken;
}

async function answeredFrom({ handler }: Site, query: RunReportQuery): Promise<string> {
  const { meta } = (await handler.execute(query)).report;
  return [
    `from ${meta.source}`,
    ...(meta.sampled ? ['sampled'] : []),
    ...(meta.approximate ? ['estimated'] : []),
    ...(meta.other_row ? ['with (other)'] : []),
  ].join(' ');
}
