// A site is deleted while it has rows everywhere, and the process that erases them is killed with -9 in the middle:
// the next one goes on. Afterwards nothing that was said about the site is in any table but the event store's, other
// sites have every row they had, and a rebuild from the log, which still holds the events, brings nothing back.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { OperatedProduct } from '../e2e/operated-product.js';
import { describeWith } from '../servers/describe-with.js';
import { startRedis, type TestRedis } from '../servers/redis.js';

const CANARY = 'canary-6f1d2c';
const EVENTS = 6_000;
/** One transaction for each 2,000 rows of a table. */
const TRANSACTIONS_BEFORE_DEATH = 2;
const DAY_MS = 86_400_000;
const PATIENCE_MS = 60_000;

interface Deletion {
  readonly site: string;
  readonly state: string;
  readonly rows: number;
}

describeWith('own-redis', 'kill -9 while a deleted site is erased', () => {
  let product: OperatedProduct;
  let redis: TestRedis;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    redis = await startRedis({ own: true });
    product = await OperatedProduct.start({ REDIS_URL: redis.url, TRACKING_LOG_PARTITIONS: '2' });
    for (const domain of ['gone.example', 'stays.example']) {
      const body = { domain, ...(domain === 'gone.example' && { name: CANARY }) };
      ids.set(domain, (await product.said<{ id: string }>('POST', '/v1/sites', body)).id);
      await product.said('POST', `/v1/sites/${domain}/keys`, {
        name: domain === 'gone.example' ? CANARY : 'kept',
        scopes: ['ingest'],
      });
      for (let sent = 0; sent < EVENTS; sent += 500)
        await product.said('POST', '/v1/events', history(domain, sent));
    }
    await product.quiet();
  }, 300_000);
  afterAll(async () => {
    await product?.stop();
    await redis?.stop();
  });

  /** Everybody comes once: as many sessions as events. */
  const history = (site: string, from: number) => ({
    events: Array.from({ length: 500 }, (_, index) => ({
      site,
      id: `${site} ${from + index}`,
      visitorId: `visitor ${from + index}`,
      url: `https://${site}/${site === 'gone.example' ? CANARY : 'page'}`,
      name: 'pageview',
      ...(site === 'gone.example' && { props: { note: CANARY } }),
      occurredAt: Date.now() - (1 + ((from + index) % 5)) * DAY_MS,
    })),
  });

  /** By table: its rows, or those of them that say it. */
  async function rowsBy(condition: string, values: readonly unknown[] = []): Promise<Record<string, number>> {
    const { pool } = product.postgres;
    const { rows: tables } = await pool.query<{ name: string; has_site: boolean }>(
      `SELECT nspname || '.' || relname AS name, EXISTS (SELECT FROM pg_attribute
          WHERE attrelid = pg_class.oid AND attname = 'site') AS has_site
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')
          -- There a site is a bookmark in all sites' rows.
          AND relname <> 'clustered_days'
          -- What the event store says, which is never rewritten.
          AND (nspname, relname) <> ('control', 'audit')`,
    );
    const counts: Record<string, number> = {};
    for (const { name, has_site } of tables) {
      if (condition.includes('site') && !has_site) continue;
      const { rows } = await pool.query<{ count: string }>(
        `SELECT count(*) FROM ${name} AS t WHERE ${condition}`,
        [...values],
      );
      if (rows[0]!.count !== '0') counts[name] = Number(rows[0]!.count);
    }
    return counts;
  }
  const rowsOf = (domain: string) => rowsBy('t.site = $1', [ids.get(domain)]);
  /** As text, and as bytes, which are shown as hexadecimal digits. */
  const canaries = () =>
    rowsBy(`t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || encode($1::text::bytea, 'hex') || '%'`, [
      CANARY,
    ]);

  async function deletion(): Promise<Deletion | undefined> {
    const { deletions } = await product.said<{ deletions: Deletion[] }>('GET', '/admin/v1/deletions');
    return deletions.find(({ site }) => site === ids.get('gone.example'));
  }

  it('erases all of the site, and nothing of another', async () => {
    const { pool } = product.postgres;
    await product.said('POST', '/v1/sites/gone.example/query', {
      ...{ metrics: ['visitors'], dimensions: ['event:page'], date_range: '7d' },
    });
    await product.said('POST', '/v1/sites/gone.example/goals', { name: CANARY, pagePath: `/${CANARY}` });
    const job = { what: 'sessions', format: 'ndjson', date_range: '7d' };
    expect((await product.call('POST', '/v1/sites/gone.example/exports', job)).status).toBe(202);
    await pool.query(
      `INSERT INTO dead_letters (id, projection, version, partition, position, event_id, site, event, error)
        VALUES ('letter', 'sessions', 1, 0, '1', 'e', $1, '{}', $2)`,
      [ids.get('gone.example'), CANARY],
    );
    await product.quiet();
    const staying = await rowsOf('stays.example');
    const before = await rowsOf('gone.example');
    expect(Object.values(before).reduce((a, b) => a + b)).toBeGreaterThan(EVENTS);

    await product.said('DELETE', '/v1/sites/gone.example');
    expect((await product.call('GET', '/v1/sites/gone.example')).status).toBe(404);
    expect(await deletion()).toMatchObject({ state: 'waiting', rows: 0 });
    await product.kill('SIGTERM');

    // The grace is over.
    await pool.query(
      `UPDATE event_store.events SET recorded_at = recorded_at - interval '8 days' WHERE type = 'SiteDeleted'`,
    );
    // It may die before it is ready.
    await product
      .startAgain({ FAILPOINT: `deletion.after-commit:${TRANSACTIONS_BEFORE_DEATH}` })
      .then(() => product.ended)
      .catch(() => undefined);
    const left = await rowsOf('gone.example');
    const sum = (rows: Record<string, number>) => Object.values(rows).reduce((a, b) => a + b, 0);
    expect(sum(left)).toBeGreaterThan(0);
    expect(sum(left)).toBeLessThan(sum(before));

    // Its lease is over.
    await pool.query(`UPDATE erasures SET until = now() - interval '1 second'`);
    await product.startAgain();
    const until = Date.now() + PATIENCE_MS;
    while ((await deletion())?.state !== 'erased') {
      expect(Date.now()).toBeLessThan(until);
      await sleep(100);
    }
    expect(await rowsOf('gone.example')).toEqual({});
    expect(await rowsOf('stays.example')).toEqual(staying);
    expect((await deletion())!.rows).toBeGreaterThan(EVENTS);
    // What people did is never rewritten.
    const { 'event_store.events': inEvents, ...elsewhere } = await canaries();
    expect(inEvents).toBeGreaterThan(0);
    expect(elsewhere).toEqual({});
  }, 300_000);

  it('leaves nothing in Redis for as long as the shortest grace', async () => {
    const client = new Redis(redis.url);
    const keys = await client.keys('*');
    const lasting: string[] = [];
    for (const key of keys) {
      const value = await client.get(key).catch(() => '');
      if (!`${key}${value}`.includes(CANARY) && !`${key}${value}`.includes(ids.get('gone.example')!))
        continue;
      const ttlMs = await client.pttl(key);
      if (ttlMs < 0 || ttlMs > DAY_MS) lasting.push(key);
    }
    client.disconnect();
    expect(lasting).toEqual([]);
  });

  it('is not undone by a rebuild', async () => {
    const { id } = await product.rebuild();
    const { state, version } = await product.rebuildEnded(id);
    expect(state).not.toBe('failed');
    await product.quiet();
    expect(version).toBe(2);
    const other = await rowsOf('stays.example');
    expect(Object.keys(other).filter((table) => /sessions_v2/.test(table)).length).toBeGreaterThan(0);
    expect(await rowsOf('gone.example')).toEqual({});
  }, 120_000);
});
