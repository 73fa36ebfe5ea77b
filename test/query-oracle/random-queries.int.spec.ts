// The truth of every answer: raw events go through the real log and projector into PostgreSQL, goals and
// segments are defined over HTTP, random requests are asked of the QueryBus, and each answer must be what the
// oracle counts in memory.
// ORACLE_QUERIES and ORACLE_SEED ask for more, or for the same again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueryBus } from '@nestjs/cqrs';
import fc from 'fast-check';
import { WEEK_STARTS, type WeekStart } from '../../src/events/site.events.js';
import { Problem } from '../../src/http/problem.js';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import { QueryModule } from '../../src/modules/query/query.module.js';
import type { Report } from '../../src/modules/query/report.js';
import { parseReportRequest } from '../../src/modules/query/request/report-request.js';
import { RunReportQuery } from '../../src/modules/query/run-report.query.js';
import { CLOCK_DIMENSIONS, REQUEST_DIMENSIONS } from '../../src/modules/query/vocabulary/dimensions.js';
import { METRICS } from '../../src/modules/query/vocabulary/metrics.js';
import { CATALOG } from '../catalog.js';
import { midnight } from '../naive-report.js';
import { appendInBatches, openLog, project } from '../projecting.js';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { settleDays } from '../settling.js';
import { type DatasetSite, makeDataset, NOW } from './dataset.js';
import { define } from './definitions.js';
import { isKnownMetric } from './metrics.js';
import { type Facts, factsOf, oracleAnswer, type OracleRequest } from './oracle.js';
import { refusalsOf } from './refusals.js';
import { requestArbitrary, settledRequestArbitrary, type Vocabulary, ZONES } from './requests.js';
import { visitsOf } from './visits.js';

const QUERIES = Number(process.env.ORACLE_QUERIES ?? 120);
const SEED = Number(process.env.ORACLE_SEED ?? Date.now() % 1_000_000_007);
const DATASET_SEED = 20_261_105;
const PARTITIONS = 2;
const SITES = {
  large: { visits: 1_500, currencies: ['EUR'] },
  small: { visits: 60, currencies: ['EUR', 'USD', 'JPY'] },
};
type SiteName = keyof typeof SITES;
const NAMES = Object.keys(SITES) as readonly SiteName[];

let postgres: MigratedPostgres;
let plane: ControlPlane;
const sites = new Map<SiteName, DatasetSite>();
const facts = new Map<SiteName, Facts>();

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, { modules: [QueryModule] });
  await createReadModelTables(postgres.pool, CATALOG);
  for (const name of NAMES) {
    const { body } = await plane.call('POST', '/v1/sites', { body: { domain: `${name}.example` } });
    sites.set(name, { id: body.id, name, ...SITES[name] });
  }
  const events = makeDataset([...sites.values()], DATASET_SEED);
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-oracle-'));
  const log = openLog(directory, PARTITIONS);
  try {
    await appendInBatches(log, events, DATASET_SEED);
    const projecting = project(log, postgres.pool);
    await projecting.caughtUp();
    await projecting.stop();
  } finally {
    await log.close();
    await rm(directory, { recursive: true, force: true });
  }
  const visits = visitsOf(events);
  for (const [name, { id }] of sites) {
    const own = visits.filter(({ site }) => site === id);
    facts.set(name, factsOf(own, await define(plane, id)));
  }
  const { rows } = await postgres.pool.query('SELECT event_id, error FROM dead_letters');
  expect(rows).toEqual([]);
});
afterAll(async () => {
  await plane?.close();
  await postgres?.stop();
});

interface Asked {
  readonly site: SiteName;
  readonly zone: string;
  readonly weekStart: WeekStart;
  readonly request: OracleRequest;
}

async function answerOf({
  site,
  zone,
  weekStart,
  request,
}: Asked): Promise<Report | { readonly status: number }> {
  try {
    const query = new RunReportQuery(
      { id: sites.get(site)!.id, merchant: 'default', timezone: zone, weekStart },
      parseReportRequest(request),
      NOW,
    );
    return (await plane.app.get(QueryBus).execute(query)).report;
  } catch (error) {
    if (error instanceof Problem) return { status: error.options.status };
    throw error;
  }
}

function accepts(change: object): boolean {
  try {
    return Boolean(parseReportRequest({ metrics: ['visits'], date_range: 'day', ...change }));
  } catch {
    return false;
  }
}

const PROPERTIES = ['plan', 'seats', 'trial', 'author', 'weird key.$', 'constructor', '__proto__', 'nowhere'];

/** All that the product knows. */
const vocabulary: Vocabulary = {
  metrics: METRICS,
  dimensions: [
    // What clocks show has a spec of its own: clock-sql.int.spec.ts.
    ...REQUEST_DIMENSIONS.filter((name) => !(CLOCK_DIMENSIONS as readonly string[]).includes(name)),
    ...PROPERTIES.map((name) => `event:props:${name}`).filter((name) => accepts({ dimensions: [name] })),
  ],
  forms: new Set([
    ...(accepts({ filters: [['has_done', ['is', 'event:page', ['/']]]] }) ? (['has_done'] as const) : []),
    ...(accepts({ include: { compare: 'previous_period' } }) ? (['segment', 'compare'] as const) : []),
  ]),
};

it('knows of every metric that can be asked for', () => {
  expect(METRICS.filter((name) => !isKnownMetric(name))).toEqual([]);
});

const anyWeekStart = fc.constantFrom(...WEEK_STARTS);

/** What it was answered from; null: it was refused. */
async function expectOraclesAnswer(question: Asked): Promise<string | null> {
  const { request, site, zone, weekStart } = question;
  const own = facts.get(site)!;
  const earliest = own.visits.reduce((first, { startedAt }) => Math.min(first, startedAt), NOW);
  const moment = { zone, now: NOW, earliest, weekStart };
  const got = await answerOf(question);
  const refusals = refusalsOf(request, own.segments, moment);
  if (refusals.length > 0) {
    expect(refusals.map((status) => ({ status }))).toContainEqual(got);
    return null;
  }
  if ('status' in got) throw new Error(`It was refused with ${got.status}.`);
  const expected = oracleAnswer(own, request, moment);
  expect(got.results).toEqual(expected.results);
  const { total_rows, time_labels, totals, compare } = request.include ?? {};
  if (total_rows === true) expect(got.meta.total_rows).toBe(expected.totalRows);
  if (totals === true) expect(got.meta.totals).toEqual(expected.totals);
  if (time_labels !== true) return got.meta.source;
  expect(got.meta.time_labels).toEqual(expected.timeLabels);
  if (compare !== undefined) expect(got.meta.comparison_time_labels).toEqual(expected.comparisonTimeLabels);
  return got.meta.source;
}

it(`answers ${QUERIES} random queries as the oracle does (seed ${SEED})`, async () => {
  const asked = fc.oneof(
    ...NAMES.map((site) => {
      const { segments } = facts.get(site)!;
      const request = requestArbitrary(vocabulary, { ...facts.get('large')!, segments });
      const zone = fc.constantFrom(...ZONES);
      return fc.record({ site: fc.constant(site), zone, weekStart: anyWeekStart, request });
    }),
  );
  await fc.assert(
    fc.asyncProperty(asked, async (question) => void (await expectOraclesAnswer(question))),
    { numRuns: QUERIES, seed: SEED },
  );
}, 1_800_000);

const SETTLED_ZONES = ['Europe/Berlin', 'Asia/Kathmandu', 'America/Havana'];

it(`answers ${QUERIES} random queries from settled days as the oracle does (seed ${SEED})`, async () => {
  for (const zone of SETTLED_ZONES) {
    const range = { from: midnight('2026-10-05', zone), to: midnight('2026-11-04', zone) };
    await settleDays(postgres.pool, { site: sites.get('large')!.id, zone, range });
  }
  const asked = fc.record({
    site: fc.constant('large' as const),
    zone: fc.constantFrom(...SETTLED_ZONES),
    weekStart: anyWeekStart,
    request: settledRequestArbitrary(vocabulary, facts.get('large')!),
  });
  let settled = 0;
  await fc.assert(
    fc.asyncProperty(asked, async (question) => {
      if ((await expectOraclesAnswer(question)) === 'settled') settled++;
    }),
    { numRuns: QUERIES, seed: SEED },
  );
  expect(settled).toBeGreaterThan(QUERIES / 2);
}, 1_800_000);
