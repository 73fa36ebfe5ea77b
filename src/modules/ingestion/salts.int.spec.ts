import type { Pool } from 'pg';
import { inRedis, openRedis, PATIENT, until } from '../../../test/redis-node.js';
import { describeWith } from '../../../test/servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../../../test/servers/fault-proxy.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import { startRedis, type TestRedis } from '../../../test/servers/redis.js';
import type { RedisStore } from '../../redis/redis-store.js';
import { SaltCopies } from './salt-copies.js';
import { SaltRegister } from './salt-register.js';
import { Salts } from './salts.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);
const NOON = MIDNIGHT + DAY_MS / 2;

let postgres: MigratedPostgres;
let clock: number;
let failures: unknown[];
let replaced: string[];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await postgres.pool.query('DELETE FROM salts.daily');
  await postgres.pool.query('DELETE FROM salts.fingerprints');
  clock = NOON;
  failures = [];
  replaced = [];
});

const away = { query: () => Promise.reject(new Error('Postgres is away')) } as unknown as Pool;

function salts(pool: Pick<Pool, 'query'> = postgres.pool, redis: RedisStore = openRedis(undefined)): Salts {
  const telemetry = {
    saltsNotRefreshed: (error: unknown) => void failures.push(error),
    saltReplaced: (day: string) => void replaced.push(day),
  };
  return new Salts({
    register: new SaltRegister(pool),
    copies: new SaltCopies(redis),
    telemetry,
    now: () => clock,
  });
}

async function storedDays(): Promise<string[]> {
  const { rows } = await postgres.pool.query<{ day: string }>(
    'SELECT day::text FROM salts.daily ORDER BY day',
  );
  return rows.map(({ day }) => day);
}

it('makes the salt of today and, in advance, of tomorrow', async () => {
  const made = salts();
  await made.refresh();
  expect(await storedDays()).toEqual(['2026-11-21', '2026-11-22']);
  expect(made.at(NOON)!.current).toMatch(/^[0-9a-f]{64}$/);
  expect(made.at(NOON + DAY_MS)!.current).toMatch(/^[0-9a-f]{64}$/);
  expect(made.at(NOON + DAY_MS)!.current).not.toBe(made.at(NOON)!.current);
});

it('agrees with every node, however many start at once', async () => {
  const nodes = Array.from({ length: 8 }, () => salts());
  await Promise.all(nodes.map((node) => node.refresh()));
  expect(new Set(nodes.map((node) => node.at(NOON)!.current)).size).toBe(1);
  expect(new Set(nodes.map((node) => node.at(NOON + DAY_MS)!.current)).size).toBe(1);
});

it('carries the salt of yesterday for the first 30 minutes of a day only', async () => {
  const node = salts();
  await node.refresh();
  clock += DAY_MS;
  await node.refresh();
  const tomorrow = MIDNIGHT + DAY_MS;
  const before = node.at(tomorrow - 1)!;
  expect(before.previous).toBeUndefined();
  expect(node.at(tomorrow)!.previous).toBe(before.current);
  expect(node.at(tomorrow + 30 * MINUTE_MS - 1)!.previous).toBe(before.current);
  expect(node.at(tomorrow + 30 * MINUTE_MS)).toEqual({
    current: node.at(tomorrow)!.current,
    previous: undefined,
  });
});

it('deletes a salt 48 hours after its day began', async () => {
  const node = salts();
  await node.refresh();
  clock = MIDNIGHT + 2 * DAY_MS - 1;
  await node.refresh();
  expect(await storedDays()).toContain('2026-11-21');
  clock = MIDNIGHT + 2 * DAY_MS;
  await node.refresh();
  expect(await storedDays()).toEqual(['2026-11-22', '2026-11-23', '2026-11-24']);
  expect(node.at(NOON)).toBeUndefined();
});

it('goes on over midnight without Postgres, with the salt made in advance', async () => {
  let pool: Pick<Pool, 'query'> = postgres.pool;
  const query = ((...parameters: Parameters<Pool['query']>) => pool.query(...parameters)) as Pool['query'];
  const node = salts({ query });
  await node.refresh();
  const made = node.at(NOON + DAY_MS)!.current;
  pool = away;
  clock = NOON + DAY_MS;
  await node.start();
  node.stop();
  expect(failures).toHaveLength(1);
  expect(node.at(clock)!.current).toBe(made);
  clock = NOON + 2 * DAY_MS;
  expect(node.at(clock)).toBeUndefined();
});

it('has none rather than a predictable one when it starts without Postgres, and tries again', async () => {
  const node = salts(away);
  await node.start();
  node.stop();
  expect(node.at(NOON)).toBeUndefined();
  expect(failures).toHaveLength(1);
});

it('forgets old salts in memory although Postgres is away', async () => {
  let pool: Pick<Pool, 'query'> = postgres.pool;
  const query = ((...parameters: Parameters<Pool['query']>) => pool.query(...parameters)) as Pool['query'];
  const node = salts({ query });
  await node.refresh();
  pool = away;
  clock += 2 * DAY_MS;
  await node.start();
  node.stop();
  expect(node.at(NOON)).toBeUndefined();
});

it('refuses a salt of another length', async () => {
  await expect(postgres.pool.query("INSERT INTO salts.daily VALUES ('2026-01-01', '\\x00')")).rejects.toThrow(
    'check',
  );
});

it('takes over the salts that a release without fingerprints has stored', async () => {
  await postgres.pool.query("INSERT INTO salts.daily VALUES ('2026-11-20', $1), ('2026-11-21', $2)", [
    Buffer.alloc(32, 1),
    Buffer.alloc(32, 2),
  ]);
  clock = MIDNIGHT;
  const node = salts();
  await node.refresh();
  expect(node.at(clock)).toEqual({ current: '02'.repeat(32), previous: '01'.repeat(32) });
});

describeWith('own-redis', 'with Redis', () => {
  // Redis forgets by its own clock.
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const now = today + DAY_MS / 2;
  const keyOf = (day: number) => `salt:{daily}:${new Date(day).toISOString().slice(0, 10)}`;

  let redis: TestRedis;
  let stores: RedisStore[];
  let proxy: FaultProxy | undefined;

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    stores = [];
    clock = now;
  });
  afterEach(async () => {
    for (const store of stores) store.onApplicationShutdown();
    await proxy?.close();
    proxy = undefined;
    await redis.stop();
  });

  /** One that has just begun: it knows nothing, and has tried Redis. */
  async function newNode(url = redis.url): Promise<Salts> {
    const store = openRedis(url, PATIENT);
    stores.push(store);
    await store.ready(5_000);
    return salts(postgres.pool, store);
  }

  async function refresh(...nodes: readonly Salts[]): Promise<void> {
    for (const node of nodes) await node.refresh();
  }

  const current = (node: Salts) => node.at(now)?.current;
  const copyOf = (day: number) => inRedis(redis.url, (client) => client.get(keyOf(day)));

  it('agrees over Redis, and nothing but fingerprints is written', async () => {
    const nodes = await Promise.all(Array.from({ length: 5 }, () => newNode()));
    await Promise.all(nodes.map((node) => node.refresh()));
    await Promise.all(nodes.map((node) => node.refresh()));
    for (const time of [now, now + DAY_MS]) {
      expect(new Set(nodes.map((node) => node.at(time)!.current)).size).toBe(1);
    }
    expect(await storedDays()).toEqual([]);
  });

  it('has Redis forget a salt 48 hours after its day began, though no node runs', async () => {
    await refresh(await newNode());
    for (const day of [today, today + DAY_MS]) {
      const expiresAt = await inRedis(redis.url, (client) => client.pexpiretime(keyOf(day)));
      expect(expiresAt).toBe(day + 2 * DAY_MS);
    }
  });

  it('keeps one salt when Redis is flushed: a node that knows it brings it back, a new one waits for it', async () => {
    const running = await newNode();
    await refresh(running);
    const salt = current(running);
    await inRedis(redis.url, (client) => client.flushall());
    const started = await newNode();
    await refresh(started);
    expect(current(started)).toBeUndefined();
    await refresh(running, started);
    expect([current(running), current(started)]).toEqual([salt, salt]);
    expect(await storedDays()).toEqual([]);
    expect(replaced).toEqual([]);
  });

  it.each([
    ['is killed', () => redis.process.kill(), () => redis.process.start()],
    ['hangs', async () => redis.process.pause(), async () => redis.process.resume()],
  ])(
    'keeps one salt when Redis %s: running nodes go on, and a new one learns it from Postgres',
    async (_, fail, mend) => {
      const running = await newNode();
      await refresh(running);
      const salt = current(running);
      await fail();
      await refresh(running);
      expect(await storedDays()).toEqual([]); // one late answer is no outage
      await refresh(running);
      const started = await newNode();
      await refresh(started);
      expect([current(running), current(started)]).toEqual([salt, salt]);

      await mend();
      await until(() => stores.every((store) => store.usable));
      await refresh(running, started);
      expect(await copyOf(today)).toBe(salt);
      expect([current(running), current(started)]).toEqual([salt, salt]);
      expect(replaced).toEqual([]);
    },
  );

  it('keeps one salt when only one node cannot reach Redis: the others write it down when asked', async () => {
    const running = await newNode();
    await refresh(running);
    proxy = await startFaultProxy(Number(new URL(redis.url).port));
    proxy.mode = 'blackhole';
    const cutOff = await newNode(`redis://127.0.0.1:${proxy.port}`);
    await refresh(cutOff);
    expect(current(cutOff)).toBeUndefined();
    await refresh(running, cutOff);
    expect(current(cutOff)).toBe(current(running));
    proxy.mode = 'pass';
    await until(() => stores.every((store) => store.usable));
    await refresh(cutOff);
    expect(current(cutOff)).toBe(current(running));
  });

  it('makes another only when the salt is gone for good, and a node that slept through it follows', async () => {
    const sleeping = await newNode();
    await refresh(sleeping);
    const lost = current(sleeping);
    await inRedis(redis.url, (client) => client.flushall());
    const [one, other] = [await newNode(), await newNode()];
    for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 5_000) {
      await refresh(one, other);
      expect([current(one), current(other)]).toEqual([undefined, undefined]);
      clock += 5_000;
    }
    await Promise.all([one.refresh(), other.refresh()]);
    await refresh(one, other, sleeping);
    expect(current(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(current(one)).not.toBe(lost);
    expect([current(other), current(sleeping)]).toEqual([current(one), current(one)]);
    expect(replaced).toHaveLength(2); // today's and tomorrow's, each by one node
  });

  it('does not believe a salt that somebody else put into Redis', async () => {
    const planted = 'ab'.repeat(32);
    await inRedis(redis.url, (client) => client.mset(keyOf(today), planted, keyOf(today + DAY_MS), planted));
    const node = await newNode();
    await refresh(node);
    expect(current(node)).not.toBe(planted);
    await inRedis(redis.url, (client) => client.set(keyOf(today), planted));
    const other = await newNode();
    await refresh(other);
    expect(current(other)).toBeUndefined();
    await refresh(node, other);
    expect(current(other)).toBe(current(node));
    expect(await copyOf(today)).toBe(current(node));
  });

  it('is not held up at the start by a Redis that hangs, and uses what Postgres has', async () => {
    const known = salts();
    await known.refresh();
    redis.process.pause();
    const store = openRedis(redis.url);
    stores.push(store);
    const node = salts(postgres.pool, store);
    const startedMs = performance.now();
    await node.start();
    node.stop();
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(current(node)).toBe(known.at(now)!.current);
  });
});
