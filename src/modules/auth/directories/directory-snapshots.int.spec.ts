// Nodes that start from a snapshot, on a real PostgreSQL: they know what those know that read every event, whatever
// became of the snapshot and of the store since.
import fc from 'fast-check';
import type { Pool } from 'pg';
import {
  type MigratedPostgres,
  openTestPool,
  startMigratedPostgres,
} from '../../../../test/servers/postgres.js';
import type { NewEvent, RecordedEvent } from '../../../event-store/event-store.js';
import { PostgresEventStore } from '../../../event-store/postgres.event-store.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { KeyPepper } from '../keys/key-pepper.js';
import { MemberDirectory } from '../merchants/member.directory.js';
import { DefinitionsDirectory } from '../../query/saved/definitions.directory.js';
import type { Directory } from './directory.js';
import { DirectoryFollower } from './directory-follower.js';
import { DirectorySnapshots } from './directory-snapshots.js';
import { KeyDirectory } from './key.directory.js';
import { SiteDirectory } from './site.directory.js';

const pepper = new KeyPepper('a pepper of thirty-two characters');
const keyOf = (id: string): string => `tm_${id}`.padEnd(35, 'x');

let postgres: MigratedPostgres;
let pool: Pool;
let eventStore: PostgresEventStore;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  ({ pool } = postgres);
  eventStore = new PostgresEventStore(pool, new Telemetry('silent'));
});
afterAll(async () => {
  await eventStore.close();
  await postgres.stop();
});
beforeEach(() => empty());

const empty = () => pool.query('TRUNCATE event_store.events, directory_snapshots CASCADE');

interface NodeOptions {
  /** How many events a node must have read to leave a snapshot; absent: it leaves none. */
  readonly worth?: number;
  /** Intake nodes have no others. */
  readonly only?: 'sites and keys';
  readonly besides?: Directory;
}

async function start({ worth = Number.POSITIVE_INFINITY, only, besides }: NodeOptions = {}) {
  const sites = new SiteDirectory();
  const keys = new KeyDirectory({ OPERATOR_KEY: undefined }, pepper);
  const telemetry = new Telemetry('silent');
  const log = jest.spyOn(telemetry.log, 'info').mockReturnValue();
  const snapshots = new DirectorySnapshots(pool, telemetry);
  const parts = { eventStore, snapshots, telemetry, sites, keys, eventsWorthASnapshot: worth };
  const follower = new DirectoryFollower(parts);
  const others = only ? [] : [new MemberDirectory(follower), new DefinitionsDirectory(follower, sites)];
  if (besides) follower.follow(besides);
  await follower.onModuleInit();
  const [{ events, snapshot, writeSnapshotMs }] = log.mock.calls[0] as unknown as [
    { events: number; snapshot: string | null; writeSnapshotMs?: number },
  ];
  const told = { events, snapshot, isWritten: writeSnapshotMs !== undefined };
  const state = () => [sites, keys, ...others].map((each) => [...each.lines()].toSorted());
  return { sites, keys, follower, told, state };
}

interface Happening {
  readonly stream: string;
  readonly event: NewEvent;
}

const text = fc.string({ unit: fc.constantFrom('a', 'ž', '"', '\\', '\n', '\u0001', '𝄞'), maxLength: 6 });

/** Anything that can be in the store, also what no command would have led to. */
const happening: fc.Arbitrary<Happening> = fc
  .record({
    id: fc.constantFrom('1', '2', '3'),
    person: fc.constantFrom('pa', 'pb'),
    name: text,
    spread: fc.constantFrom(undefined, 1, 8),
    expiresAt: fc.constantFrom(undefined, '2040-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z'),
    kind: fc.nat(13),
  })
  .map(({ id, person, name, spread, expiresAt, kind }) => {
    const about = (stream: string, type: string, data: object): Happening => ({
      stream,
      event: { type, data: { ...data } },
    });
    const [site, merchant] = [`s${id}`, `m${id}`];
    const draft = {
      domain: `${id}.example`,
      timezone: 'UTC',
      currency: 'EUR',
      trackingIds: name === '' ? [] : [name],
    };
    const key = { merchant, site: spread === 8 ? null : site, name, scopes: ['ingest'], prefix: 'tm_' };
    const digest = pepper.digest(keyOf(id));
    const goal = { site, id: `g${person}`, name, eventName: 'Signup', props: { createdAt: name } };
    return [
      about(`site-${site}`, 'SiteCreated', { site, merchant, name, ...draft, ...(spread && { spread }) }),
      about(`site-${site}`, 'SiteCreated', { site, merchant, ...draft, name: draft.domain }),
      about(`site-${site}`, 'SiteChanged', { site, name, ...(spread && { spread }) }),
      about(`site-${site}`, 'SiteChanged', { site, aliases: [`${person}.example`], weekStart: 'sunday' }),
      about(`site-${site}`, 'SiteDeleted', { site }),
      about(`key-k${id}`, 'KeyIssued', { key: `k${id}`, ...key, digest, ...(expiresAt && { expiresAt }) }),
      about(`key-k${id}`, 'KeyChanged', { key: `k${id}`, name, expiresAt: expiresAt ?? null }),
      about(`key-k${id}`, 'KeyRotated', {
        key: `k${id}`,
        successor: 'k9',
        expiresAt: expiresAt ?? '2041-01-01',
      }),
      about(`key-k${id}`, 'KeyRevoked', { key: `k${id}` }),
      about(`merchant-${merchant}`, 'MemberJoined', { merchant, person, role: 'owner' }),
      about(`merchant-${merchant}`, 'MemberRoleChanged', { merchant, person, role: 'viewer' }),
      about(`merchant-${merchant}`, 'MemberLeft', { merchant, person }),
      about(`definitions-${site}`, 'GoalCreated', goal),
      about('operator-key', 'OperatorKeyIssued', { prefix: 'tm_', digest: pepper.digest(keyOf('o')) }),
    ][kind]!;
  });

async function tell(...happenings: readonly Happening[]): Promise<void> {
  for (const { stream, event } of happenings) await eventStore.append(stream, [event], 'any');
}

const history = (length: number) => fc.sample(happening, { numRuns: length, seed: length });

const answers = ({ sites, keys }: Awaited<ReturnType<typeof start>>) => [
  ...['s1', 's2', 's3', '1.example', 'www.2.example', 'pa.example', 'pb.example'].map((id) => sites.find(id)),
  ...['a', 'ž', '"'].map((id) => sites.findByTrackingId(id)?.id),
  ...['1', '2', '3', 'o'].map((id) => keys.find(keyOf(id))),
  ...['k1', 'k2', 'k3'].map((id) => keys.byId(id)),
  ...['m1', 'm2', 'm3'].map((merchant) => sites.list(merchant).map(({ id }) => id)),
  ...['s1', 's2', 's3'].map((site) => keys.listOfSite(site).map(({ id }) => id)),
  ...['m1', 'm2', 'm3'].map((merchant) => keys.listOfMerchant(merchant).map(({ id }) => id)),
];

it('knows from a snapshot and what came later all that the events say', async () => {
  const histories = fc.array(happening, { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(histories, histories, async (before, after) => {
      await empty();
      await tell(...before);
      const first = await start({ worth: 1 });
      expect(first.told).toEqual({ events: before.length, snapshot: null, isWritten: true });
      await tell(...after);
      const late = await start();
      expect(late.told).toEqual({ events: after.length, snapshot: String(before.length), isWritten: false });
      await pool.query('TRUNCATE directory_snapshots CASCADE');
      const full = await start();
      await first.follower.settle();
      expect(full.told.events).toBe(before.length + after.length);
      for (const node of [late, first]) {
        expect(node.state()).toEqual(full.state());
        expect(answers(node)).toEqual(answers(full));
      }
    }),
    { numRuns: 25 },
  );
}, 120_000);

it('refuses, when it is ready, a key that was revoked after the snapshot', async () => {
  const key = { key: 'k1', merchant: 'm1', site: null, name: 'n', scopes: ['ingest'], prefix: 'tm_' };
  const digest = pepper.digest(keyOf('1'));
  await tell({ stream: 'key-k1', event: { type: 'KeyIssued', data: { ...key, digest } } });
  const first = await start({ worth: 1 });
  expect(first.keys.find(keyOf('1'))?.id).toBe('k1');
  await tell({ stream: 'key-k1', event: { type: 'KeyRevoked', data: { key: 'k1' } } });
  const late = await start();
  expect([late.told.snapshot, late.told.events]).toEqual(['1', 1]);
  expect(late.keys.find(keyOf('1'))).toBeUndefined();
});

it.each([
  [
    'a part that was changed',
    `UPDATE directory_snapshot_parts SET lines = replace(lines, 'example', 'exbmple')`,
  ],
  ['a part that is gone', 'DELETE FROM directory_snapshot_parts WHERE number = 1'],
  [
    'the last part gone',
    `DELETE FROM directory_snapshot_parts
                          WHERE number = (SELECT max(number) FROM directory_snapshot_parts)`,
  ],
  ['another format', `UPDATE directory_snapshots SET formats = formats || '{"sites": 0}'`],
  ['another store', `UPDATE directory_snapshots SET recorded_at = recorded_at - interval '1 second'`],
  ['a store that was put back', 'UPDATE directory_snapshots SET revision = revision + 1'],
  ['nothing at all', 'DELETE FROM directory_snapshots'],
])('reads all events where the snapshot has %s', async (_, damage) => {
  await tell(...history(80));
  const whole = await start({ worth: 1 });
  expect((await pool.query(damage)).rowCount).toBeGreaterThan(0);
  const node = await start({ worth: 1 });
  expect(node.told).toEqual({ events: 80, snapshot: null, isWritten: true });
  expect(node.state()).toEqual(whole.state());
  // And leaves a good one in its place.
  const next = await start();
  expect(next.told).toMatchObject({ events: 0, snapshot: '80' });
  expect(next.state()).toEqual(whole.state());
});

it('of several nodes that start at once writes one, and a later one takes its place', async () => {
  await tell(...history(80));
  const nodes = await Promise.all([start({ worth: 1 }), start({ worth: 1 }), start({ worth: 1 })]);
  expect(nodes.filter(({ told }) => told.isWritten)).toHaveLength(1);
  await tell(...history(10));
  expect((await start({ worth: 10 })).told).toEqual({ events: 10, snapshot: '80', isWritten: true });
  expect((await start({ worth: 10 })).told).toEqual({ events: 0, snapshot: '90', isWritten: false });
  expect((await pool.query('SELECT position FROM directory_snapshots')).rows).toEqual([{ position: '90' }]);
});

it('serves nodes with fewer directories, and is not replaced by what they know', async () => {
  await tell(...history(80));
  const all = await start({ worth: 1 });
  const intake = await start({ worth: 0, only: 'sites and keys' });
  expect(intake.told).toMatchObject({ events: 0, snapshot: '80' });
  expect(intake.state()).toEqual(all.state().slice(0, 2));
  expect((await start()).told).toMatchObject({ events: 0, snapshot: '80' });
});

it('leaves what was there when a node dies while it writes', async () => {
  await tell(...history(80));
  await start({ worth: 1 });
  await tell(...history(40));
  const dying = openTestPool(postgres.url, 1);
  const snapshots = new DirectorySnapshots(dying, new Telemetry('silent'));
  const [{ pid }] = (await dying.query('SELECT pg_backend_pid() AS pid')).rows;
  const killing = {
    ...{ name: 'sites', format: 1, apply: () => undefined, restore: () => undefined, clear: () => undefined },
    *lines() {
      yield 'x'.repeat(2_000_000);
      void pool.query('SELECT pg_terminate_backend($1)', [pid]);
      for (let n = 0; n < 200; n++) yield 'x'.repeat(2_000_000);
    },
  };
  await snapshots.restore([killing], () => Promise.resolve(true));
  let last: RecordedEvent | undefined;
  for await (const event of eventStore.readAll(null)) last = event;
  expect(await snapshots.write([killing], last!)).toBe(false);
  await dying.end();
  expect((await start()).told).toMatchObject({ events: 40, snapshot: '80' });
});

it('applies nothing while a snapshot is written, and everything afterwards', async () => {
  await tell(...history(80));
  let applied = 0;
  const whileWritten: number[] = [];
  let telling: Promise<void> | undefined;
  const counting = {
    ...{ name: 'counting', format: 1, restore: () => undefined, clear: () => undefined },
    apply: () => void applied++,
    *lines() {
      telling = tell(...history(60));
      for (let part = 0; part < 40; part++) {
        whileWritten.push(applied);
        yield 'x'.repeat(2_000_000);
      }
    },
  };
  const node = await start({ worth: 1, besides: counting });
  expect([...new Set(whileWritten)]).toEqual([80]);
  await telling;
  expect(await node.follower.settle()).toBe(true);
  expect(applied).toBe(140);
});
