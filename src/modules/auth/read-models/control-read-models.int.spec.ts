// The control plane's tables as they follow a real event store on a real PostgreSQL: through random histories,
// with several nodes at once, cut off in the middle, and made anew.
import fc from 'fast-check';
import { Pool } from 'pg';
import { type DataSource, EntityManager } from 'typeorm';
import { controlRows, foldedRows } from '../../../../test/control-rows.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { PostgresEventStore } from '../../../event-store/postgres.event-store.js';
import type { NewEvent } from '../../../event-store/event-store.js';
import { asApplication } from '../../../postgres/database-roles.js';
import { openEntitySource } from '../../../postgres/entity-source.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { keyStream } from '../keys/key.aggregate.js';
import { merchantStream } from '../merchants/merchant.aggregate.js';
import { siteStream } from '../sites/site.aggregate.js';
import { ControlReadModels, READ_MODEL_ENTITIES } from './control-read-models.js';

const IDS = ['1', '2', '3'];

let postgres: MigratedPostgres;
let pool: Pool;
/** As the nodes of the product work with it. */
let applicationPool: Pool;
let source: DataSource;
let eventStore: PostgresEventStore;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  ({ pool } = postgres);
  applicationPool = new Pool({ ...(await asApplication(postgres.url)), max: 10 });
  source = await openEntitySource(applicationPool, READ_MODEL_ENTITIES);
  eventStore = new PostgresEventStore(pool, new Telemetry('silent'));
});
afterAll(async () => {
  await eventStore.close();
  await applicationPool.end();
  await postgres.stop();
});
beforeEach(async () => {
  await pool.query(`
    TRUNCATE event_store.events, control.read_models, control.merchants, control.members, control.invitations,
             control.sites, control.keys, control.deletions, control.audit`);
});
afterEach(() => jest.restoreAllMocks());

const node = () =>
  new ControlReadModels({
    ...{ source, eventStore, telemetry: new Telemetry('silent') },
    follower: { listen: () => undefined },
  });

const rows = () => controlRows(pool);
const expected = () => foldedRows(eventStore);

interface Happening {
  readonly stream: string;
  readonly event: NewEvent;
}

/** Anything that can be in the store, also what no command would have led to, but for a second beginning. */
const happening: fc.Arbitrary<Happening> = fc
  .record({
    id: fc.constantFrom(...IDS),
    person: fc.constantFrom('pa', 'pb'),
    invitation: fc.constantFrom('ia', 'ib'),
    role: fc.constantFrom('owner', 'viewer'),
    name: fc.string({ unit: fc.constantFrom('a', 'ž', '"', '\\', "'", '𝄞'), minLength: 1, maxLength: 6 }),
    spread: fc.constantFrom(undefined, 1, 8),
    kind: fc.nat(15),
  })
  .map(({ id, person, invitation, role, name, spread, kind }) => {
    const about = (stream: string, type: string, data: object): Happening => ({
      stream,
      event: { type, data: { ...data }, metadata: { by: 'a test', kind: 'system', country: 'AT' } },
    });
    const merchant = { merchant: id };
    const of = merchantStream(id);
    const site = { ...merchant, domain: name, timezone: 'UTC', currency: 'EUR', trackingIds: [name] };
    const key = { ...merchant, site: null, scopes: ['ingest'], prefix: 'tm_', digest: name };
    const sealed = { email: name, addressDigest: name, tokenDigest: name };
    return [
      about(of, 'MerchantRegistered', { ...merchant, name }),
      about(of, 'MerchantRenamed', { ...merchant, name }),
      about(of, 'MemberJoined', { ...merchant, person, role }),
      about(of, 'MemberJoined', { ...merchant, person, role, invitation }),
      about(of, 'MemberRoleChanged', { ...merchant, person, role }),
      about(of, 'MemberLeft', { ...merchant, person }),
      about(of, 'InvitationSent', {
        ...{ ...merchant, invitation, role, ...sealed, expiresAt: '2026-12-01T00:00:00.000Z' },
      }),
      about(of, 'InvitationWithdrawn', { ...merchant, invitation }),
      about(siteStream(id), 'SiteCreated', { ...site, site: id, name, ...(spread && { spread }) }),
      about(siteStream(id), 'SiteChanged', { site: id, name, ...(spread && { spread }) }),
      about(siteStream(id), 'SiteDeleted', { site: id }),
      about(siteStream(id), 'DataErased', { site: id, rows: name.length }),
      about(of, 'MerchantDeleted', { ...merchant, members: ['pa'] }),
      about(of, 'MerchantErased', { ...merchant, rows: name.length }),
      about(keyStream(id), spread === 8 ? 'KeyRevoked' : 'KeyIssued', { ...key, key: id, name }),
      about(keyStream(id), 'KeyChanged', {
        ...{ key: id, name, expiresAt: spread === 8 ? null : '2027-01-01T00:00:00.000Z' },
      }),
      about('domain-claims', 'DomainClaimed', { site: id, domain: name }),
      about(`person-${person}`, 'PersonRenamed', { person, name }),
      about(`definitions-${id}`, 'GoalDeleted', { site: id, id: name }),
    ][kind]!;
  });

/** A stream begins with its beginning, and has one. */
async function tell(happenings: readonly Happening[]): Promise<void> {
  for (const { stream, event } of happenings) {
    const begins = /Registered|Created|Issued|Claimed|GoalDeleted|PersonRenamed/.test(event.type);
    if (begins) await eventStore.append(stream, [event], isShared(stream) ? 'any' : 'none');
    else if (await mayFollow(stream, event)) await eventStore.append(stream, [event], 'any');
  }
}

const isShared = (stream: string): boolean => /^(domain|definitions|person)-/.test(stream);

/** Of a merchant that was deleted nothing is told any more but that it is erased. */
async function mayFollow(stream: string, { type }: NewEvent): Promise<boolean> {
  let state: 'absent' | 'there' | 'deleted' = 'absent';
  for await (const event of eventStore.readStream(stream)) {
    if (event.type === 'MerchantDeleted') state = 'deleted';
    else if (state === 'absent') state = 'there';
  }
  if (state === 'absent') return false;
  return (type === 'MerchantErased') === (state === 'deleted');
}

const history = (length: number) => fc.sample(happening, { numRuns: length, seed: length });

it('holds after any history, however it was cut, what the folds of the streams say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(happening, { maxLength: 30 }), { minLength: 1, maxLength: 4 }),
      async (parts) => {
        await pool.query('TRUNCATE event_store.events; DELETE FROM control.read_models');
        await pool.query('TRUNCATE control.merchants, control.members, control.invitations');
        await pool.query('TRUNCATE control.sites, control.keys, control.deletions, control.audit');
        for (const part of parts) {
          await tell(part);
          await node().catchUp();
        }
        const live = await rows();
        expect(live).toEqual(await expected());
        await pool.query('UPDATE control.read_models SET definition = 0');
        await node().catchUp();
        expect(await rows()).toEqual(live);
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);

it('writes nothing of a batch that is cut off in the middle, and goes on from there', async () => {
  await tell(history(60));
  const upsert = EntityManager.prototype.upsert;
  let writes = 0;
  const broken = jest.spyOn(EntityManager.prototype, 'upsert').mockImplementation(function (
    this: EntityManager,
    ...args: Parameters<typeof upsert>
  ) {
    writes++;
    return writes === 2 ? Promise.reject(new Error('cut off')) : upsert.apply(this, args);
  });
  await expect(node().catchUp()).rejects.toThrow('cut off');
  expect(writes).toBe(2);
  expect([await positionOf(), Object.values(await rows()).flat()]).toEqual([null, []]);
  broken.mockRestore();
  await node().catchUp();
  expect(await rows()).toEqual(await expected());
});

const positionOf = async (): Promise<string | null | undefined> =>
  (await pool.query('SELECT position FROM control.read_models')).rows[0]?.position;

it('writes each event once when several nodes are at it while it goes on', async () => {
  const nodes = [node(), node(), node()];
  for (let part = 0; part < 20; part++) {
    await tell(history(40).slice(part * 2, part * 2 + 2));
    await Promise.all(nodes.map((one) => one.catchUp()));
    expect(await rows()).toEqual(await expected());
  }
  expect(Object.values(await rows()).flat().length).toBeGreaterThan(3);
});

it('needs several batches for a long history, and stands where the store ends', async () => {
  const events = Array.from({ length: 1_300 }, (_, n) => ({
    type: n === 0 ? 'MerchantRegistered' : 'MerchantRenamed',
    data: { merchant: '1', name: `Name ${n}` },
  }));
  for (let from = 0; from < events.length; from += 100) {
    await eventStore.append(merchantStream('1'), events.slice(from, from + 100), 'any');
  }
  await Promise.all([node().catchUp(), node().catchUp()]);
  expect(await rows()).toMatchObject({ merchants: [{ merchant: '1', name: 'Name 1299' }] });
  expect(await positionOf()).toBe('1300');
});

it('leaves tables alone that a newer release keeps', async () => {
  await tell(history(60));
  await node().catchUp();
  await pool.query(`UPDATE control.read_models SET definition = 1000, position = NULL`);
  await pool.query(`DELETE FROM control.merchants`);
  await node().catchUp();
  expect([await positionOf(), (await rows()).merchants]).toEqual([null, []]);
});

it('is kept by a running node, which says when it knows what is stored', async () => {
  const running = node();
  running.onApplicationBootstrap();
  await tell(history(60));
  expect(await running.settle()).toBe(true);
  expect(await rows()).toEqual(await expected());
  await running.beforeApplicationShutdown();
});

it('goes on by itself once the database answers again', async () => {
  const running = node();
  await tell(history(60));
  const failing = jest
    .spyOn(source, 'transaction')
    .mockRejectedValueOnce(new Error('terminating connection'));
  running.onApplicationBootstrap();
  expect(await running.settle()).toBe(true);
  expect(failing).toHaveBeenCalled();
  expect(await rows()).toEqual(await expected());
  await running.beforeApplicationShutdown();
});
