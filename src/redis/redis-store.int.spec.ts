import { setTimeout as delay } from 'node:timers/promises';
import { describeWith } from '../../test/servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../../test/servers/fault-proxy.js';
import { startRedis, type TestRedis } from '../../test/servers/redis.js';
import { openRedis, PATIENT, until } from '../../test/redis-node.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { RedisScript } from './redis-script.js';
import { RedisStore } from './redis-store.js';
import { RedisTelemetry } from './redis.telemetry.js';

const get = (store: RedisStore, key = 'key') => store.run((redis) => redis.get(key));

/** Of a Redis that is there, on a busy machine. */
const READY_MS_MAX = 30_000;

const configOf = (url: string) => readConfig({ REDIS_URL: url, ...PATIENT });

async function timed<T>(work: Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, tookMs: performance.now() - startedMs };
}

it('answers everything with "unavailable" without a URL, and has nothing to close', async () => {
  const store = openRedis(undefined);
  expect(store.configured).toBe(false);
  await store.ready(10_000);
  expect(await get(store)).toEqual({ outcome: 'unavailable' });
  store.onApplicationShutdown();
});

describeWith('own-redis', 'the connection to Redis', () => {
  let redis: TestRedis;
  let store: RedisStore;
  let proxy: FaultProxy | undefined;

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    store = openRedis(redis.url, PATIENT);
    await store.ready(READY_MS_MAX);
  });
  afterEach(async () => {
    store.onApplicationShutdown();
    await proxy?.close();
    proxy = undefined;
    await redis.stop();
  });

  async function throughProxy(): Promise<FaultProxy> {
    store.onApplicationShutdown();
    proxy = await startFaultProxy(Number(new URL(redis.url).port));
    store = openRedis(`redis://127.0.0.1:${proxy.port}`, PATIENT);
    await store.ready(READY_MS_MAX);
    expect(store.usable).toBe(true);
    return proxy;
  }

  it('hands on what Redis says, under its prefix', async () => {
    await store.run((client) => client.set('key', 'a'));
    expect(await get(store)).toEqual({ outcome: 'answered', value: 'a' });
    const other = openRedis(redis.url, { ...PATIENT, REDIS_KEY_PREFIX: 'other:' });
    await other.ready(READY_MS_MAX);
    expect(await get(other)).toEqual({ outcome: 'answered', value: null });
    other.onApplicationShutdown();
  });

  it('runs a script that Redis has forgotten', async () => {
    const script = new RedisScript(`return redis.call('INCRBY', KEYS[1], ARGV[1])`);
    const add = () => store.run((client) => script.run(client, ['count'], [2]));
    expect(await add()).toEqual({ outcome: 'answered', value: 2 });
    expect(await add()).toEqual({ outcome: 'answered', value: 4 });
    await store.run((client) => client.script('FLUSH'));
    expect(await add()).toEqual({ outcome: 'answered', value: 6 });
  });

  it.each([
    ['hung', async () => redis.process.pause(), async () => redis.process.resume()],
    ['killed', () => redis.process.kill(), () => redis.process.start()],
  ])('costs one wait and no more while Redis is %s, and is used again afterwards', async (_, fail, mend) => {
    await fail();
    await delay(20);
    const first = await timed(get(store));
    expect(first.result).toEqual({ outcome: 'unavailable' });
    expect(first.tookMs).toBeLessThan(5 * Number(PATIENT.REDIS_TIMEOUT_MS));
    await until(async () => (await get(store)).outcome === 'unavailable' && !store.usable);
    // Several tries to connect long, every request is told at once: before anything else can happen.
    for (let request = 0; request < 150; request++) {
      const nextTurn = new Promise((resolve) => setImmediate(resolve, 'waits'));
      expect(await Promise.race([get(store), nextTurn])).toEqual({ outcome: 'unavailable' });
      await delay(10);
    }
    await mend();
    await until(async () => (await get(store)).outcome === 'answered');
  });

  it('recovers from silence on the network with answers that belong to their questions', async () => {
    const network = await throughProxy();
    for (const key of ['a', 'b', 'c']) await store.run((client) => client.set(key, key));
    network.mode = 'blackhole';
    await Promise.all(['a', 'b', 'c'].map((key) => get(store, key)));
    await until(async () => (await get(store, 'a')).outcome === 'unavailable' && !store.usable);
    network.mode = 'pass';
    await until(async () => (await get(store, 'c')).outcome === 'answered');
    for (const key of ['b', 'a', 'c'])
      expect(await get(store, key)).toEqual({ outcome: 'answered', value: key });
  });

  it('is back after its connections were reset, without a restart', async () => {
    const network = await throughProxy();
    network.cut();
    await until(async () => (await get(store)).outcome === 'answered');
  });

  it('takes no answer for late that came while our own event loop stood still', async () => {
    store.onApplicationShutdown();
    store = openRedis(redis.url, { REDIS_TIMEOUT_MS: '50' });
    await store.ready(READY_MS_MAX);
    for (let stall = 0; stall < 5; stall++) {
      const answers = Promise.all([get(store), get(store)]);
      const endMs = performance.now() + 200;
      while (performance.now() < endMs);
      expect(await answers).toEqual([
        { outcome: 'answered', value: null },
        { outcome: 'answered', value: null },
      ]);
    }
    expect(store.usable).toBe(true);
  });

  it('goes on without Redis, and says why, when the password is wrong', async () => {
    await store.run((client) => client.config('SET', 'requirepass', 'right'));
    const lines: string[] = [];
    const telemetry = new Telemetry('info', { write: (line) => void lines.push(line) });
    const url = redis.url.replace('redis://', 'redis://:a-wrong-password@');
    const refused = new RedisStore(configOf(url), new RedisTelemetry(telemetry));
    await refused.ready(2_000);
    expect(await get(refused)).toEqual({ outcome: 'unavailable' });
    await delay(1_500); // several tries, one line
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('WRONGPASS');
    expect(lines[0]).not.toContain('a-wrong-password');
    refused.onApplicationShutdown();
  });

  it('counts what was not answered, by kind, and whether Redis is used', async () => {
    const telemetry = new Telemetry('silent');
    const watched = new RedisStore(configOf(redis.url), new RedisTelemetry(telemetry));
    await get(watched);
    await watched.ready(READY_MS_MAX);
    await watched.run((client) => client.set('text', 'a'));
    await watched.run((client) => client.hget('text', 'field'));
    redis.process.pause();
    await get(watched);
    redis.process.resume();
    const metrics = await telemetry.registry.metrics();
    for (const kind of ['disconnected', 'refused', 'timeout']) {
      expect(metrics).toContain(`tidemark_redis_failures_total{kind="${kind}"} 1`);
    }
    expect(metrics).toContain('tidemark_redis_usable_connections 1');
    watched.onApplicationShutdown();
  });
});
