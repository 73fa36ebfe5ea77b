import type { Pool } from 'pg';
import { type FaultProxy, startFaultProxy } from '../../test/servers/fault-proxy.js';
import { openTestPool, startPostgres, type TestPostgres } from '../../test/servers/postgres.js';
import { SilenceWatch } from './silence-watch.js';

let postgres: TestPostgres;
let proxy: FaultProxy;
let pool: Pool;
let watch: SilenceWatch;
let cut: number[];

beforeEach(async () => {
  postgres = await startPostgres();
  const url = new URL(postgres.url);
  proxy = await startFaultProxy(Number(url.port));
  url.host = `127.0.0.1:${proxy.port}`;
  pool = openTestPool(url.href);
  cut = [];
  watch = new SilenceWatch(pool, (connections) => cut.push(connections));
});
afterEach(async () => {
  proxy.mode = 'pass';
  watch.stop();
  await pool.end();
  await proxy.close();
  await postgres.stop();
});

it('ends what waits for a server that says nothing, and the pool recovers', async () => {
  await pool.query('SELECT 1');
  proxy.mode = 'blackhole';
  const askedAt = performance.now();
  await expect(Promise.all([pool.query('SELECT 1'), pool.query('SELECT 2')])).rejects.toThrow(/terminated/);
  expect(performance.now() - askedAt).toBeLessThan(30_000);
  expect(cut[0]).toBeGreaterThan(0);
  proxy.mode = 'pass';
  expect((await pool.query('SELECT 3 AS three')).rows).toEqual([{ three: 3 }]);
});

it('leaves what is merely slow alone', async () => {
  expect((await pool.query(`SELECT pg_sleep(9), 'done' AS said`)).rows[0].said).toBe('done');
  expect(cut).toEqual([]);
});
