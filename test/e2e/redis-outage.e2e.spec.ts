// What clients notice of a Redis that is killed, hangs or falls silent: nothing. Real processes of the
// product, requests all the while, and no restart afterwards.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../crash/child.js';
import { until } from '../redis-node.js';
import { describeWith } from '../servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.js';
import { freePort } from '../servers/free-port.js';
import { startPostgres, type TestPostgres } from '../servers/postgres.js';
import { startRedis, type TestRedis } from '../servers/redis.js';

const OPERATOR_KEY = 'operator-key-of-the-redis-outage-0123456789';
const OUTAGE_MS = 3_000;
/** Of a whole process, on a machine that runs other specs. */
const BOOT_MS_MAX = 120_000;
/** Generous, because tests share the machine. Without the fallback there would be no answer at all. */
const ANSWER_MS_MAX = 10_000;

interface Readiness {
  readonly status: string;
  readonly dependencies: Readonly<Record<string, { readonly status: string }>>;
}

describeWith('own-redis', 'a process whose Redis fails', () => {
  let directory: string;
  let postgres: TestPostgres;
  let redis: TestRedis;
  let proxy: FaultProxy;
  let node: Child;
  let url: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-redis-outage-'));
    [postgres, redis] = await Promise.all([startPostgres(), startRedis({ own: true })]);
    proxy = await startFaultProxy(Number(new URL(redis.url).port));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    node = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: directory,
        DATABASE_URL: postgres.url,
        REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
        OPERATOR_KEY,
        PORT: String(port),
      },
    });
    await until(async () => (await readiness())?.dependencies['redis']?.status === 'up', BOOT_MS_MAX);
    expect((await call('POST', '/v1/sites', { domain: 'shop.example' })).status).toBe(201);
  }, 2 * BOOT_MS_MAX);

  afterAll(async () => {
    await node?.kill('SIGTERM');
    await proxy?.close();
    await redis?.stop();
    await postgres?.stop();
    await rm(directory, { recursive: true });
  });

  async function readiness(): Promise<Readiness | undefined> {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    return answer && ((await answer.json()) as Readiness);
  }

  async function call(method: string, path: string, body: unknown) {
    const startedMs = performance.now();
    const { status } = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status, tookMs: performance.now() - startedMs };
  }

  it.each([
    ['is killed', () => redis.process.kill(), () => redis.process.start()],
    ['hangs', async () => redis.process.pause(), async () => redis.process.resume()],
    ['falls silent', async () => void (proxy.mode = 'blackhole'), async () => void (proxy.mode = 'pass')],
  ])(
    'takes events and answers queries while Redis %s, and uses it again afterwards',
    async (_, fail, mend) => {
      await fail();
      const answers: { status: number; tookMs: number }[] = [];
      const endMs = performance.now() + OUTAGE_MS;
      for (let day = 1; performance.now() < endMs || answers.length <= 20; day = (day % 28) + 1) {
        const date = `2026-10-${String(day).padStart(2, '0')}`;
        const query = { metrics: ['visitors'], date_range: [date, date], filters: [] };
        answers.push(
          ...(await Promise.all([
            call('POST', '/v1/sites/shop.example/query', query),
            call('POST', '/v1/events', { site: 'shop.example', url: 'https://shop.example/' }),
          ])),
        );
      }
      expect(answers.filter(({ status }) => ![200, 202].includes(status))).toEqual([]);
      expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(ANSWER_MS_MAX);
      expect(await readiness()).toMatchObject({
        status: 'ready',
        dependencies: { redis: { status: 'degraded' }, salts: { status: 'up' } },
      });
      await mend();
      await until(async () => (await readiness())?.dependencies['redis']?.status === 'up');
    },
  );
});
