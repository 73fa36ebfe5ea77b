import { setTimeout as delay } from 'node:timers/promises';
import { inRedis, openRedis, PATIENT, until } from '../../../../test/redis-node.js';
import { describeWith } from '../../../../test/servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../../../../test/servers/fault-proxy.js';
import { startRedis, type TestRedis } from '../../../../test/servers/redis.js';
import type { RedisStore } from '../../../redis/redis-store.js';
import { byteTextOf } from '../byte-text.js';
import { type CachedReport, MemoryReportCache } from './report-cache.js';
import { RedisReportCache } from './redis.report-cache.js';

interface Report {
  readonly text: string;
}

const DEFAULTS = { REDIS_TIMEOUT_MS: '50' };
const PLACE = 'report:4:{key}';

describeWith('own-redis', 'the cache in Redis', () => {
  let redis: TestRedis;
  let proxy: FaultProxy;
  let stores: RedisStore[];
  let outcomes: string[];
  let computed: number;

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    proxy = await startFaultProxy(Number(new URL(redis.url).port));
    stores = [];
    outcomes = [];
    computed = 0;
  });
  afterEach(async () => {
    for (const store of stores) store.onApplicationShutdown();
    await proxy.close();
    await redis.stop();
  });

  async function newNode(settings = PATIENT): Promise<RedisReportCache<Report>> {
    const store = openRedis(`redis://127.0.0.1:${proxy.port}`, settings);
    stores.push(store);
    await store.ready(5_000);
    const bytesOf = ({ text }: Report) => text.length;
    return new RedisReportCache<Report>({
      memory: new MemoryReportCache<Report>({ bytesMax: 10_000_000, entriesMax: 100, bytesOf }),
      redis: store,
      telemetry: { lookedUp: (outcome) => void outcomes.push(outcome) },
    });
  }

  const computing =
    ({ takesMs = 0, text = 'a' } = {}) =>
    async (): Promise<Report> => {
      computed++;
      await delay(takesMs);
      return { text };
    };

  /** Storing is not waited for by the answer. */
  const stored = (place = PLACE) =>
    until(async () => (await inRedis(redis.url, (client) => client.exists(place))) === 1);

  it('gives one node what another has computed', async () => {
    const [one, other] = [await newNode(), await newNode()];
    expect(await one.get('key', computing())).toEqual({ value: { text: 'a' }, source: 'computed' });
    await stored();
    for (let time = 0; time < 3; time++)
      expect(await other.get('key', computing())).toEqual({ value: { text: 'a' }, source: 'cache' });
    // Kept the second time.
    expect(outcomes).toEqual(['miss', 'hit', 'hit']);
    expect(computed).toBe(1);
  });

  it('finds what another node has computed, every byte as it is, and keeps nobody from computing', async () => {
    const [one, other] = [await newNode(), await newNode()];
    const value = { text: 'ü', texts: ['[1,"\\n"]', byteTextOf('{"ü":"京"}'), ''] };
    expect(await other.find('key')).toBeUndefined();
    await one.get('key', async () => value);
    await stored();
    expect(await other.find('key')).toEqual(value);
    expect(await other.get('key', computing())).toEqual({ value, source: 'cache' });
    expect(other.find('key')).toEqual(value);
    expect(outcomes).toEqual(['miss', 'hit', 'hit']);
    await inRedis(redis.url, (client) => client.set(PLACE, 'something else'));
    expect(await (await newNode()).find('key')).toBeUndefined();
  });

  it('keeps in memory what was computed here or is found again soon, not what is found once', async () => {
    const [one, other] = [await newNode(), await newNode()];
    await one.get('key', computing());
    await stored();
    expect(one.find('key')).toEqual({ text: 'a' });
    await other.find('key');
    expect(other.find('key')).toBeInstanceOf(Promise);
    await until(async () => !(other.find('key') instanceof Promise));
    expect(other.find('key')).toEqual({ text: 'a' });
  });

  it('asks for all answers of one turn in one command, and tells each its own', async () => {
    const [one, other] = [await newNode(), await newNode()];
    const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`);
    for (const text of keys) await one.get(text, computing({ text }));
    await stored('report:4:{key 99}');
    const commands = async () => {
      const info = await inRedis(redis.url, (client) => client.info('commandstats'));
      return Number(/cmdstat_mget:calls=(\d+)/.exec(info)?.[1] ?? 0);
    };
    const before = await commands();
    const found = await Promise.all([...keys, 'absent'].map(async (key) => other.find(key)));
    expect(found).toEqual([...keys.map((text) => ({ text })), undefined]);
    expect((await commands()) - before).toBe(4);
  });

  it('forgets after ten minutes, and leaves no lock behind', async () => {
    const node = await newNode();
    await node.get('key', computing());
    await stored();
    const left = await inRedis(redis.url, (client) => client.pttl(PLACE));
    expect(left).toBeGreaterThan(9 * 60_000);
    expect(left).toBeLessThanOrEqual(10 * 60_000);
    expect(await inRedis(redis.url, (client) => client.exists(`${PLACE}:lock`))).toBe(0);
  });

  it('keeps for a day what is about days that are over', async () => {
    const node = await newNode();
    await node.get('key', computing(), 'lasting');
    await stored();
    expect(await inRedis(redis.url, (client) => client.pttl(PLACE))).toBeGreaterThan(23 * 3_600_000);
  });

  it('has one of several nodes compute what all of them miss at once', async () => {
    const nodes = await Promise.all([1, 2, 3, 4].map(() => newNode()));
    const asked = nodes.flatMap((node) => [1, 2, 3].map(() => node.get('key', computing({ takesMs: 150 }))));
    const answers = await Promise.all(asked);
    expect(computed).toBe(1);
    expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 12 }, () => ({ text: 'a' })));
    expect(answers.filter(({ source }) => source === 'computed')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'hit-after-waiting')).toHaveLength(3);
  });

  it('waits about a second for a node that takes longer, then computes for itself', async () => {
    const [slow, quick] = [await newNode(), await newNode()];
    const slowly = slow.get('key', computing({ takesMs: 2_500, text: 'slow' }));
    await delay(50);
    const startedMs = performance.now();
    expect((await quick.get('key', computing())).source).toBe('computed');
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect((await slowly).value).toEqual({ text: 'slow' });
  });

  it('lets the next compute as soon as a node has failed to', async () => {
    const [failing, next] = [await newNode(), await newNode()];
    const failed = failing.get('key', async () => {
      await delay(300);
      throw new Error('too costly');
    });
    await delay(100);
    const answer = next.get('key', computing());
    await expect(failed).rejects.toThrow('too costly');
    const startedMs = performance.now();
    expect((await answer).value).toEqual({ text: 'a' });
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it.each([
    ['damaged', (text: string) => text.replace('"a"', '"b"')],
    ['of another key', () => ''],
    ['no JSON', () => 'hello'],
    ['cut off', (text: string) => text.slice(0, -3)],
  ])('does not serve what is %s, counts it, and puts the answer in its place', async (_, spoil) => {
    const writer = await newNode();
    await writer.get('other', computing({ text: 'of another key' }));
    await writer.get('key', computing());
    await stored();
    await stored('report:4:{other}');
    const right = (await inRedis(redis.url, (client) => client.get(PLACE)))!;
    const foreign = (await inRedis(redis.url, (client) => client.get('report:4:{other}')))!;
    await inRedis(redis.url, (client) => client.set(PLACE, spoil(right) || foreign));
    const reader = await newNode();
    expect(await reader.get('key', computing())).toEqual({ value: { text: 'a' }, source: 'computed' });
    expect(outcomes.at(-1)).toBe('ignored');
    await until(async () => (await inRedis(redis.url, (client) => client.get(PLACE))) === right);
  });

  it('does not store what is too large', async () => {
    const node = await newNode();
    const text = 'x'.repeat(1_048_576);
    expect((await node.get('key', computing({ text }))).value.text).toHaveLength(text.length);
    await until(async () => (await inRedis(redis.url, (client) => client.exists(`${PLACE}:lock`))) === 0);
    expect(await inRedis(redis.url, (client) => client.exists(PLACE))).toBe(0);
  });

  it('computes at most once per node and key when Redis is empty', async () => {
    const nodes = [await newNode(), await newNode()];
    await nodes[0]!.get('key', computing());
    await stored();
    await inRedis(redis.url, (client) => client.flushall());
    const asked = Array.from({ length: 40 }, (_, index) => nodes[index % 2]!.get('key', computing()));
    await Promise.all(asked);
    expect(computed).toBe(2);
  });

  it.each([
    ['killed', () => redis.process.kill(), () => redis.process.start()],
    ['hung', async () => redis.process.pause(), async () => redis.process.resume()],
    ['silent', async () => void (proxy.mode = 'blackhole'), async () => void (proxy.mode = 'pass')],
  ])('answers everything, and soon, while Redis is %s; shares again afterwards', async (_, fail, mend) => {
    const [one, other] = [await newNode(DEFAULTS), await newNode(DEFAULTS)];
    await fail();
    const startedMs = performance.now();
    const answers: CachedReport<Report>[] = [];
    for (let key = 0; key < 50; key++) {
      answers.push(...(await Promise.all([one, other].map((node) => node.get(`key ${key}`, computing())))));
    }
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(answers).toEqual(
      Array.from({ length: 100 }, () => ({ value: { text: 'a' }, source: 'computed' })),
    );
    await mend();
    await until(() => stores.every((store) => store.usable));
    let tries = 0; // an answer may be late on a busy machine
    await until(async () => {
      const key = `afterwards ${tries++}`;
      await one.get(key, computing());
      await delay(50);
      return (await other.get(key, computing())).source === 'cache';
    });
  });

  it('does not make those who wait for another node wait longer when Redis dies', async () => {
    const [slow, waiting] = [await newNode(), await newNode()];
    const slowly = slow.get('key', computing({ takesMs: 1_500 }));
    await delay(50);
    const answer = waiting.get('key', computing());
    await delay(50);
    await redis.process.kill();
    const startedMs = performance.now();
    await answer;
    expect(performance.now() - startedMs).toBeLessThan(500);
    await slowly;
  });
});
