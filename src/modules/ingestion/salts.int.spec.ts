import type { Pool } from 'pg';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import { Salts } from './salts.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);
const NOON = MIDNIGHT + DAY_MS / 2;

let postgres: MigratedPostgres;
let clock: number;
let failures: unknown[];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await postgres.pool.query('DELETE FROM salts.daily');
  clock = NOON;
  failures = [];
});

const away = { query: () => Promise.reject(new Error('Postgres is away')) } as unknown as Pool;

function salts(pool: Pick<Pool, 'query'> = postgres.pool): Salts {
  const telemetry = { saltsNotRefreshed: (error: unknown) => void failures.push(error) };
  return new Salts({ pool, telemetry, now: () => clock });
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
  const pools = [postgres.pool, postgres.pool, postgres.pool];
  const query = ((...parameters: Parameters<Pool['query']>) =>
    (pools.shift() ?? away).query(...parameters)) as Pool['query'];
  const node = salts({ query });
  await node.refresh();
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
