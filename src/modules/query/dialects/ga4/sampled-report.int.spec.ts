// A report whose numbers are estimates says so, for each of its date ranges, and by which part of the visitors.
import { randomSessions } from '../../../../../test/random-sessions.js';
import { createReadModels, insertSessions, setCheckpoints } from '../../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';
import { QueryModule } from '../../query.module.js';

const BUSY = { startDate: '2026-11-09', endDate: '2026-11-10' };
const QUIET = { startDate: '2026-11-01', endDate: '2026-11-02' };
const SESSIONS = 3_000;
const SESSIONS_MAX = 1_000;

let postgres: MigratedPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, QUERY_SESSIONS_MAX: String(SESSIONS_MAX) },
    modules: [QueryModule],
  });
  await createReadModels(postgres.pool);
  const now = new Date();
  await setCheckpoints(postgres.pool, '1', [now, now]);
  const { body } = await plane.call('POST', '/v1/sites', { body: { domain: 'shop.example' } });
  const of = (startDate: string, count: number) => {
    const from = Date.parse(`${startDate}T00:00Z`);
    return randomSessions({ seed: 51, site: body.id, count, from, to: from + 86_400_000 });
  };
  await insertSessions(postgres.pool, [...of(BUSY.startDate, SESSIONS), ...of(QUIET.startDate, 20)]);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

async function metadataOf(dateRanges: readonly object[], metric = 'sessions') {
  const { status, body } = await plane.call('POST', '/v1beta/properties/shop.example:runReport', {
    key: OPERATOR_KEY,
    body: { dateRanges, dimensions: [{ name: 'browser' }], metrics: [{ name: metric }] },
  });
  expect([status, body.rows.length > 0]).toEqual([200, true]);
  return body.metadata as {
    samplingMetadatas?: readonly { samplesReadCount: string; samplingSpaceSize: string }[];
  };
}

it('says which part of the visitors was read, of each range', async () => {
  const { samplingMetadatas } = await metadataOf([BUSY, QUIET]);
  const [busy, quiet] = samplingMetadatas!.map(
    ({ samplesReadCount, samplingSpaceSize }) => Number(samplesReadCount) / Number(samplingSpaceSize),
  );
  expect(busy).toBeGreaterThan((0.7 * SESSIONS_MAX) / SESSIONS);
  expect(busy).toBeLessThan((1.4 * SESSIONS_MAX) / SESSIONS);
  expect(quiet).toBe(1);
});

it('says it of key events, too', async () => {
  await plane.call('POST', '/v1/sites/shop.example/goals', { body: { eventName: 'signup' } });
  expect((await metadataOf([BUSY], 'keyEvents')).samplingMetadatas).toHaveLength(1);
});

it('says nothing where all were read', async () => {
  expect(await metadataOf([QUIET])).toEqual({ currencyCode: expect.any(String), timeZone: 'UTC' });
});
