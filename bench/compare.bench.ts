// How long it takes to compare two versions of the sessions, all of them and those of one site, and
// what that is beside joining the rows as text. A hundredth differs in its country. --sessions=300000 a version,
// a multiple of 150,000.
import type { Pool } from 'pg';
import { readConfig } from '../src/config/config.js';
import { DEFINITIONS } from '../src/modules/projections/catalog/catalog.js';
import {
  CompareVersionsHandler,
  CompareVersionsQuery,
  type Scope,
} from '../src/modules/projections/compare/compare-versions.query.js';
import { projectionsOf } from '../src/modules/projections/definition.js';
import {
  NO_READ_MODELS,
  type ReadModels,
} from '../src/modules/projections/lifecycle/read-models.aggregate.js';
import {
  createBulkTables,
  indexBulkTables,
  MonthPartitions,
} from '../src/modules/projections/read-model-tables.js';
import { startMigratedPostgres } from '../test/servers/postgres.js';
import { type Contender, measure, report, seconds } from './measure.js';

const given = process.argv.find((argument) => argument.startsWith('--sessions='))?.slice(11);
const SESSIONS = Number(given ?? 300_000);
const OF_BIG_SITE = SESSIONS / 3;
const OTHER_SITES = SESSIONS / 1_500;
const CHANGED = SESSIONS / 100;
const ROUNDS = 5;
const FROM = '2026-10-21T00:00:00Z';
const ZONES = ['UTC', 'Europe/Vienna', 'America/Los_Angeles', 'Asia/Tokyo'];

const definition = DEFINITIONS.at(-1)!;
const sites = ['site-big', ...Array.from({ length: OTHER_SITES }, (_, index) => `site-${index}`)].map(
  (id, index) => ({ id, timezone: ZONES[index % ZONES.length]! }),
);

const postgres = await startMigratedPostgres();
try {
  for (const version of [1, 2]) await fillSessions(postgres.pool, version);
  await postgres.pool.query('VACUUM ANALYZE');
  await benchmark(postgres.pool);
} finally {
  await postgres.stop();
}

async function benchmark(pool: Pool): Promise<void> {
  const contenders: readonly Contender[] = [
    contender('all sites', () => compare(pool, {}, CHANGED), SESSIONS),
    contender('rows as text, joined by hand', () => joinedByHand(pool), SESSIONS),
    contender('a site of a third', () => compare(pool, { site: 'site-big' }, OF_BIG_SITE / 100), OF_BIG_SITE),
    contender('a site of a thousand', () => compare(pool, { site: 'site-7' }, 0), 1_000),
  ];
  const result = await measure({
    name: `compare ${SESSIONS.toLocaleString('en')} sessions with as many`,
    unit: 'sessions of either version',
    contenders,
    ratios: [{ of: 'all sites', over: 'rows as text, joined by hand' }],
    rounds: ROUNDS,
  });
  const amounts = [SESSIONS, SESSIONS, OF_BIG_SITE, 1_000];
  const facts = result.rates.map(({ name, median }, index) => ({
    name: `${name}, median`,
    value: amounts[index]! / median,
    unit: 's',
  }));
  report('compare', [result], facts);
}

function contender(name: string, work: () => Promise<void>, amount: number): Contender {
  return { name, run: async () => ({ amount, seconds: await seconds(work) }) };
}

async function compare(pool: Pool, scope: Scope, changed: number): Promise<void> {
  const handler = new CompareVersionsHandler(
    pool,
    readConfig({ COMPARE_TIMEOUT_MS: '600000' }),
    { state: versions() },
    { all: () => sites as never, find: (id) => sites.find((site) => site.id === id) as never },
  );
  const page = { tolerance: '0', limit: 100 };
  const query = new CompareVersionsQuery({ name: 'sessions', a: 1, b: 2 }, scope, page);
  const { totals } = await handler.execute(query);
  const found = totals.find(({ metric }) => metric === 'sessions_changed')?.difference;
  if (found !== changed) throw new Error(`${found} sessions were found to have changed, not ${changed}`);
}

async function joinedByHand(pool: Pool): Promise<void> {
  const rows = (version: number) =>
    `(SELECT site, started_at, session, md5(s::text) AS row FROM sessions_v${version} AS s)`;
  const { rows: found } = await pool.query<{ changed: string }>(
    `SELECT count(*) AS changed FROM ${rows(1)} AS a FULL JOIN ${rows(2)} AS b USING (site, started_at, session)
     WHERE a.row IS DISTINCT FROM b.row`,
  );
  if (Number(found[0]!.changed) !== CHANGED)
    throw new Error('The hand-written statement finds something else');
}

function versions(): ReadModels {
  const made = { definition: definition.number, rebuild: null, sites: null };
  const kept = [
    { version: 1, state: 'serving', ...made },
    { version: 2, state: 'caught_up', ...made },
  ] as const;
  return {
    ...NO_READ_MODELS,
    serving: [1],
    versions: new Map(kept.map((version) => [version.version, version])),
  };
}

/** Thirty days; most sessions short, few long; one in fifty with an id that changes, one in twenty a bot's. */
async function fillSessions(pool: Pool, version: number): Promise<void> {
  const projections = projectionsOf(definition, version);
  await createBulkTables(pool, projections);
  const months = [Date.UTC(2026, 9, 1), Date.UTC(2026, 10, 1)];
  await new MonthPartitions(pool, `sessions_v${version}`).ensure(months);
  await pool.query(
    `INSERT INTO sessions_v${version} (site, started_at, session, partition, visitor, ended_at, bot, bounced, pageviews,
        events, entry_page, exit_page, entry_hostname, exit_hostname, referrer, source, country, browser,
        browser_version, os, os_version, device, language, event_offsets, event_names, event_pages, event_visitors, carry)
      SELECT site, at, hashint8extended(i, 3), h % 4, hashint8extended(h % 400000 * 40 + extract(day FROM at)::int, 7),
        at + (size - 1) * interval '47 seconds', h % 20 = 0, size = 1, size - size / 5, size, pages[1], pages[size],
        'shop.example', 'shop.example', CASE WHEN h % 3 > 0 THEN 'www.google.com/search' END,
        CASE WHEN h % 3 > 0 THEN 'Google' END,
        CASE WHEN $1 = 2 AND i % 100 = 0 THEN 'XX' ELSE (ARRAY['DE', 'AT', 'US', 'FR'])[1 + h % 4] END,
        'Chrome', '120.0', 'Windows', '10', 'Desktop', 'en', ARRAY(SELECT 47000 * n FROM generate_series(0, size - 1) AS n),
        CASE WHEN size >= 5 THEN ARRAY(SELECT CASE WHEN n = size THEN 'signup' ELSE 'pageview' END FROM generate_series(1, size) AS n) END,
        pages, CASE WHEN i % 50 = 0 THEN array_fill(hashint8extended(i, 9), ARRAY[size]) END,
        decode(repeat(md5(i::text), (size * 10 + 15) / 16), 'hex')
      FROM (
        SELECT i, CASE WHEN i <= $2 THEN 'site-big' ELSE 'site-' || i % $3 END AS site, hashint8(i) & 2147483647 AS h,
          $4::timestamptz + (hashint8extended(i, 1) & 9007199254740991) % 2592000000 * interval '1 millisecond' AS at,
          CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (hashint8(i + 5) & 7) END AS size
        FROM generate_series(1, $5::int) AS i) AS made,
      LATERAL (SELECT ARRAY(
        SELECT '/products/' || ((hashint8(i * 31 + n) & 65535)::bigint * (hashint8(i * 17 + n) & 65535) >> 22)
        FROM generate_series(1, size) AS n) AS pages) AS paths`,
    [version, OF_BIG_SITE, OTHER_SITES, FROM, SESSIONS],
  );
  await indexBulkTables(pool, projections);
}
