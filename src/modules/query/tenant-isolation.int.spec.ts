// Tenants are kept apart twice: by the site in every statement, and by row-level security where a statement
// forgets it. Here all of them forget it, and answer as before; without row-level security none would.
import { setTimeout as sleep } from 'node:timers/promises';
import { carelessPool, type CarelessPool } from '../../../test/careless-pool.js';
import { randomSessions } from '../../../test/random-sessions.js';
import { createReadModels, insertSessions, setCheckpoints } from '../../../test/read-model-rows.js';
import { type ControlPlane, OPERATOR_KEY, startControlPlane } from '../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import { ResultGoneError, ResultStore } from './jobs/result-store.js';
import { QueryModule } from './query.module.js';
import { REPORTS } from './reporting/report-list.js';
import { settleDay } from './settled/settle-day.js';
import { createSettledTables, settledTablesOf } from './settled/settled-tables.js';

const KEY_PEPPER = 'the same pepper for every process of these tests'.replaceAll(' ', '-');
const DAY_MS = 86_400_000;
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const YESTERDAY = dateOf(TODAY - DAY_MS);
const NOT_SETTLED = dateOf(TODAY - 3 * DAY_MS);
const RANGE = [dateOf(TODAY - 2 * DAY_MS), YESTERDAY];

let postgres: MigratedPostgres;
let guarded: CarelessPool;
let unguarded: CarelessPool;
/** One that is careful, one that forgets, and one that forgets where nobody watches. */
const planes: ControlPlane[] = [];
let ours: string;
let theirs: string;
let theirJob: string;

/** The product on the database, with whatever pool. */
const planeOn = (pool: MigratedPostgres['pool']): Promise<ControlPlane> =>
  startControlPlane(pool, {
    // Days are settled below, and by nobody else.
    environment: { OPERATOR_KEY, KEY_PEPPER, SETTLED_DAY_SESSIONS_MIN: '1000000' },
    modules: [QueryModule],
  });

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  guarded = carelessPool(postgres.url, 'tenant');
  unguarded = carelessPool(postgres.url, 'none');
  for (const pool of [postgres.pool, guarded.pool, unguarded.pool]) planes.push(await planeOn(pool));
  // In place of those that the planes made.
  await createReadModels(postgres.pool);
  await setCheckpoints(postgres.pool, '1', [new Date(), new Date()]);
  [ours, theirs] = [await created('ours.example'), await created('theirs.example')];
  await createSettledTables(postgres.pool, 1);
  await fill(ours, { seed: 1, count: 60 });
  await fill(theirs, { seed: 2, count: 90 });
  theirJob = await exported(planes[0]!, theirs, { what: 'sessions', date_range: RANGE });
}, 120_000);
afterAll(async () => {
  for (const plane of planes) await plane.close();
  for (const { pool } of [guarded, unguarded]) await pool.end();
  await postgres?.stop();
});

const created = async (domain: string): Promise<string> =>
  (await planes[0]!.call('POST', '/v1/sites', { body: { domain } })).body.id;

/** A few days, of which the last two are settled, and the last minutes. */
async function fill(site: string, { seed, count }: { seed: number; count: number }): Promise<void> {
  await insertSessions(postgres.pool, [
    ...randomSessions({ seed, site, count, from: TODAY - (3 + seed) * DAY_MS, to: TODAY }),
    { site, visitor: BigInt(seed) << 32n, events: [{ at: Date.now() - 60_000 * seed, page: `/of-${seed}` }] },
  ]);
  for (const from of [TODAY - 2 * DAY_MS, TODAY - DAY_MS]) {
    const day = { from, to: from + DAY_MS };
    const of = { site, zone: 'UTC', day, facts: 'sessions_v1', tables: settledTablesOf(1) };
    await settleDay(postgres.pool, { ...of, valuesMax: 100, timeoutMs: 10_000 });
  }
}

async function exported(plane: ControlPlane, site: string, body: object): Promise<string> {
  const { id } = (await plane.call('POST', `/v1/sites/${site}/exports`, { body })).body;
  for (;;) {
    const { body: job } = await plane.call('GET', `/v1/sites/${site}/jobs/${id}`);
    if (job.state === 'done') return id;
    if (job.state === 'failed') throw new Error(JSON.stringify(job));
    await sleep(50);
  }
}

/** What an example asks for that random sessions have none of. */
const OF_RANDOM_SESSIONS: Readonly<Record<string, object>> = {
  funnels: { steps: [{ pagePath: '/*' }, { eventName: 'signup' }] },
};

type Ask = (plane: ControlPlane) => Promise<unknown>;

/** What the product says about our site, in every way there is to ask. */
const QUESTIONS: Readonly<Record<string, Ask>> = {
  'totals from the rollup': asked(
    { metrics: ['visitors', 'visits'], date_range: [NOT_SETTLED, NOT_SETTLED] },
    'rollup',
  ),
  'a breakdown from settled days': asked(
    { metrics: ['visits', 'visitors'], dimensions: ['visit:source'], date_range: RANGE },
    'settled',
  ),
  'a breakdown from the facts': asked(
    {
      metrics: ['visits'],
      dimensions: ['event:page'],
      filters: [['is', 'visit:device', ['Desktop', 'Mobile']]],
      date_range: 'all',
    },
    'facts',
  ),
  'all the time there is': asked({ metrics: ['visits'], date_range: 'all' }),
  realtime: async (plane) => {
    const { status, body } = await plane.call('GET', `/v1/sites/${ours}/realtime`);
    return { status, ...body, meta: undefined, at: undefined };
  },
  'its jobs': async (plane) => (await plane.call('GET', `/v1/sites/${ours}/jobs`)).body.jobs.length as number,
  "another's job": async (plane) => (await plane.call('GET', `/v1/sites/${ours}/jobs/${theirJob}`)).status,
  ...Object.fromEntries(
    REPORTS.map(({ name, examples }) => [
      `the report ${name}`,
      async (plane: ControlPlane) => {
        const body = { ...Object.values(examples)[0]!.value, date_range: RANGE, ...OF_RANDOM_SESSIONS[name] };
        const answer = await plane.call('POST', `/v1/sites/${ours}/${name}/query`, { body });
        return { status: answer.status, results: answer.body.results as unknown };
      },
    ]),
  ),
  ...Object.fromEntries(
    ['sessions', 'events'].map((what) => [
      `an export of ${what}`,
      async (plane: ControlPlane) => {
        const job = await exported(plane, ours, { what, date_range: RANGE });
        const { payload } = await plane.app.inject({
          url: `/v1/sites/${ours}/jobs/${job}/result`,
          headers: { authorization: `Bearer ${OPERATOR_KEY}` },
        });
        await plane.call('DELETE', `/v1/sites/${ours}/jobs/${job}`);
        return payload;
      },
    ]),
  ),
};

function asked(body: object, source?: string) {
  return async (plane: ControlPlane): Promise<unknown> => {
    const answer = await plane.call('POST', `/v1/sites/${ours}/query`, { body });
    expect(answer.status).toBe(200);
    // What was settled of one site is not what all sites' rows would be settled to.
    if (source !== undefined && plane !== planes[2]) expect(answer.body.meta.source).toBe(source);
    return answer.body.results;
  };
}

describe('statements that forget the site', () => {
  it.each(Object.entries(QUESTIONS))('%s: see no row of another', async (_, ask) => {
    const [careful, careless, unwatched] = planes as [ControlPlane, ControlPlane, ControlPlane];
    guarded.forgotten();
    const answer = await ask(careless);
    expect(guarded.forgotten()).toBeGreaterThan(0);
    expect(answer).toEqual(await ask(careful));
    // Or the test would prove nothing.
    expect(await ask(unwatched)).not.toEqual(answer);
  });
});

it('a result is read and deleted by its own site only, though the statement forgets which', async () => {
  const { rows } = await postgres.pool.query('SELECT created_at FROM jobs WHERE id = $1', [theirJob]);
  const job = { site: ours, id: theirJob, createdAt: rows[0].created_at as Date };
  const store = new ResultStore(guarded.pool);
  await expect(store.read(job, { from: 0, to: 10 }).next()).rejects.toThrow(ResultGoneError);
  await store.delete(job);
  const kept = store.read({ ...job, site: theirs }, { from: 0, to: 10 });
  expect((await kept.next()).value).toHaveLength(10);
});
