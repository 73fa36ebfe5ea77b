// What a process that projects knows of deleted sites once it has started, whatever the control plane's tables know:
// all, and without reading what they have read.
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { Pool } from 'pg';
import { PostgresEventStore } from '../../../event-store/postgres.event-store.js';
import { asApplication } from '../../../postgres/database-roles.js';
import { openEntitySource } from '../../../postgres/entity-source.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { ControlReadModels, READ_MODEL_ENTITIES } from '../read-models/control-read-models.js';
import { siteStream } from '../sites/site.aggregate.js';
import { DeletedSites } from './deleted-sites.js';

const OTHERS = 1_200;

let postgres: MigratedPostgres;
let applicationPool: Pool;
let store: PostgresEventStore;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  applicationPool = new Pool({ ...(await asApplication(postgres.url)), max: 5 });
});
afterAll(async () => {
  await applicationPool.end();
  await postgres.stop();
});
beforeEach(async () => {
  await postgres.pool.query('TRUNCATE event_store.events, control.read_models, control.deletions');
  store = new PostgresEventStore(applicationPool, new Telemetry('silent'));
});
afterEach(() => store.close());

const remove = (site: string) =>
  store.append(siteStream(site), [{ type: 'SiteDeleted', data: { site } }], 'any');

async function tablesCatchUp(): Promise<void> {
  const source = await openEntitySource(applicationPool, READ_MODEL_ENTITIES);
  const parts = { source, eventStore: store, telemetry: new Telemetry('silent') };
  await new ControlReadModels({ ...parts, follower: { listen: () => undefined } }).catchUp();
}

async function started(): Promise<{ readonly deleted: DeletedSites; readonly events: number }> {
  const deleted = new DeletedSites(store, applicationPool, new Telemetry('silent'));
  const reading = jest.spyOn(deleted, 'apply');
  await deleted.onModuleInit();
  return { deleted, events: reading.mock.calls.length };
}

async function others(): Promise<void> {
  for (let n = 0; n < OTHERS; n += 100) {
    const events = Array.from({ length: 100 }, (_, i) => ({ type: 'Other', data: { n: n + i } }));
    await store.append('other', events, 'any');
  }
}

it('knows those of before and after the tables, and hears of those to come, without reading all events', async () => {
  await remove('s1');
  await others();
  await tablesCatchUp();
  await remove('s2');
  const { deleted, events } = await started();
  expect(deleted.list()).toEqual(['s1', 's2']);
  expect(events).toBe(1);
  await remove('s3');
  while (!deleted.has('s3')) await new Promise((resolve) => setImmediate(resolve));
  expect(deleted.has('s4')).toBe(false);
});

it.each([
  ['that nobody has kept', 'DELETE FROM control.read_models'],
  ['of a release that knew nothing of deletions', 'UPDATE control.read_models SET definition = 1'],
  ['that are being made anew', 'UPDATE control.read_models SET position = NULL, stream = NULL'],
  [
    'of an event store that was put back to an earlier day',
    `UPDATE control.read_models SET recorded_at = recorded_at - interval '1 second'`,
  ],
])('reads all events where there are tables %s', async (_, change) => {
  await remove('s1');
  await others();
  await remove('s2');
  await tablesCatchUp();
  await postgres.pool.query(change);
  // And takes nothing from them.
  await postgres.pool.query(`DELETE FROM control.deletions WHERE subject = 's1'`);
  const { deleted, events } = await started();
  expect([deleted.list(), events]).toEqual([['s1', 's2'], OTHERS + 2]);
});

it('takes from a store that was put back what it says, not what the tables say', async () => {
  await remove('s1');
  await tablesCatchUp();
  await postgres.pool.query('TRUNCATE event_store.events');
  const { deleted } = await started();
  expect(deleted.list()).toEqual([]);
});
