import { openRedis, PATIENT, until } from '../../../../test/redis-node.js';
import { describeWith } from '../../../../test/servers/describe-with.js';
import { startRedis, type TestRedis } from '../../../../test/servers/redis.js';
import type { RedisStore } from '../../../redis/redis-store.js';
import { type Admission, RateLimits } from './rate-limits.js';

const limit = { name: 'test', requestsMax: 5, windowMs: 60_000 };

async function takeMany(limits: RateLimits, times: number, subject = 'a'): Promise<Admission[]> {
  const admissions: Admission[] = [];
  for (let time = 0; time < times; time++) admissions.push(await limits.take(limit, subject));
  return admissions;
}

const admitted = (admissions: readonly Admission[]) =>
  admissions.filter((admission) => admission.admitted).length;

describe('without Redis', () => {
  let nowMs: number;
  let limits: RateLimits;

  beforeEach(() => {
    nowMs = 1_000_000;
    limits = new RateLimits(openRedis(undefined), () => nowMs);
  });

  it('admits as many at once as the limit says, and then says how long to wait', async () => {
    const admissions = await takeMany(limits, 6);
    expect(admissions.map(({ remainingRequests }) => remainingRequests)).toEqual([4, 3, 2, 1, 0, 0]);
    expect(admissions[0]).toEqual({
      admitted: true,
      remainingRequests: 4,
      fullInSeconds: 12,
      retryAfterSeconds: 0,
    });
    expect(admissions[5]).toEqual({
      admitted: false,
      remainingRequests: 0,
      fullInSeconds: 60,
      retryAfterSeconds: 12,
    });
  });

  it('admits again as time passes, never more than the limit at once', async () => {
    await takeMany(limits, 5);
    nowMs += 12_000;
    expect(admitted(await takeMany(limits, 3))).toBe(1);
    nowMs += 3_600_000;
    expect(admitted(await takeMany(limits, 9))).toBe(5);
  });

  it('counts each subject for itself', async () => {
    await takeMany(limits, 6);
    expect(admitted(await takeMany(limits, 6, 'b'))).toBe(5);
  });

  it('remembers a bounded number of subjects, those seen last', async () => {
    await takeMany(limits, 5, 'first');
    for (let other = 0; other < 10_000; other++) await takeMany(limits, 1, `other-${other}`);
    expect(admitted(await takeMany(limits, 1, 'first'))).toBe(1);
    await takeMany(limits, 5, 'last');
    for (let other = 0; other < 5_000; other++) await takeMany(limits, 1, `another-${other}`);
    expect(admitted(await takeMany(limits, 1, 'last'))).toBe(0);
  });
});

describeWith('own-redis', 'with Redis', () => {
  let redis: TestRedis;
  let stores: RedisStore[];
  let nodes: RateLimits[];

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    stores = [openRedis(redis.url, PATIENT), openRedis(redis.url, PATIENT)];
    nodes = stores.map((store) => new RateLimits(store));
    for (const store of stores) await store.ready(5_000);
  });
  afterEach(async () => {
    for (const store of stores) store.onApplicationShutdown();
    await redis.stop();
  });

  it('admits over all nodes together what one would, however many ask at once', async () => {
    const asked = Array.from({ length: 20 }, async (_, index) => nodes[index % 2]!.take(limit, 'a'));
    expect(admitted(await Promise.all(asked))).toBe(5);
    const [refused] = await takeMany(nodes[1]!, 1);
    expect(refused).toMatchObject({ admitted: false, remainingRequests: 0, retryAfterSeconds: 12 });
  });

  it('tells many who ask at once what they would be told one after the other', async () => {
    const alone = await takeMany(new RateLimits(openRedis(undefined)), 12);
    const together = await Promise.all(Array.from({ length: 12 }, async () => nodes[0]!.take(limit, 'a')));
    expect(together).toEqual(alone);
  });

  it('asks Redis twice for any number who ask at once', async () => {
    const runs = jest.spyOn(stores[0]!, 'run');
    await Promise.all(Array.from({ length: 100 }, async () => nodes[0]!.take(limit, 'a')));
    expect(runs).toHaveBeenCalledTimes(2);
  });

  it('asks Redis nothing of a bucket that is empty, until there is a token again', async () => {
    const quick = { name: 'quick', requestsMax: 2, windowMs: 1_000 };
    let nowMs = performance.now();
    const node = new RateLimits(stores[0]!, () => nowMs);
    for (let time = 0; time < 2; time++)
      expect(await node.take(quick, 'a')).toMatchObject({ admitted: true });
    expect(await node.take(quick, 'a')).toMatchObject({ admitted: false });
    const runs = jest.spyOn(stores[0]!, 'run');
    const refused = node.take(quick, 'a');
    // At once: nobody had to be asked.
    expect(refused).toMatchObject({ admitted: false, remainingRequests: 0, retryAfterSeconds: 1 });
    expect(runs).not.toHaveBeenCalled();
    await new Promise((resolve) => setTimeout(resolve, 600));
    nowMs += 600;
    expect(await node.take(quick, 'a')).toMatchObject({ admitted: true });
    expect(runs).toHaveBeenCalledTimes(1);
  });

  it('says the same as a node alone would', async () => {
    const alone = new RateLimits(openRedis(undefined));
    expect(await takeMany(nodes[0]!, 6)).toEqual(await takeMany(alone, 6));
  });

  describe('of a bucket that is asked for all the time', () => {
    const busy = { name: 'busy', requestsMax: 600, windowMs: 60_000 };

    /** Many in turn, so that a node learns how many come. */
    const takeInTurn = async (times: number, limits = nodes) => {
      const admissions: Admission[] = [];
      for (let time = 0; time < times; time++)
        admissions.push(await limits[time % limits.length]!.take(busy, 'a'));
      return admissions;
    };

    it('takes tokens ahead, and admits over all nodes together no more than the limit', async () => {
      const runs = stores.map((store) => jest.spyOn(store, 'run'));
      const startedMs = performance.now();
      const admissions = await takeInTurn(2_000);
      const refilled = Math.ceil((performance.now() - startedMs) / 100);
      expect(admitted(admissions)).toBeLessThanOrEqual(600 + refilled);
      // What is held back so that the bucket is not full while tokens are out: 200 ms of each node's.
      expect(admitted(admissions)).toBeGreaterThanOrEqual(600 - 4);
      const askedFor = (index: number) => runs[index]!.mock.calls.length;
      expect(askedFor(0) + askedFor(1)).toBeLessThan(2_000 - 300);
    });

    it('says of each how many are left, as if it had asked', async () => {
      const left = (await takeInTurn(400, [nodes[0]!])).map(({ remainingRequests }) => remainingRequests);
      for (const [index, remaining] of left.entries()) {
        expect(remaining).toBeGreaterThanOrEqual(599 - index);
        expect(remaining).toBeLessThan(599 - index + 100);
      }
    });

    it('lets them expire, so that no later moment has more than the limit', async () => {
      let nowMs = 0;
      const node = new RateLimits(stores[0]!, () => nowMs);
      for (let time = 0; time < 20; time++) await node.take(busy, 'a');
      const runs = jest.spyOn(stores[0]!, 'run');
      await node.take(busy, 'a');
      expect(runs).not.toHaveBeenCalled();
      nowMs += 200;
      await node.take(busy, 'a');
      expect(runs).toHaveBeenCalledTimes(1);
    });
  });

  it('lets a bucket go once it is full', async () => {
    const quick = { name: 'quick', requestsMax: 2, windowMs: 200 };
    await nodes[0]!.take(quick, 'a');
    await nodes[0]!.take(quick, 'a');
    expect((await nodes[1]!.take(quick, 'a')).admitted).toBe(false);
    await until(async () => {
      const keys = await stores[0]!.run((client) => client.dbsize());
      return keys.outcome === 'answered' && keys.value === 0;
    });
    expect((await nodes[1]!.take(quick, 'a')).admitted).toBe(true);
  });

  it.each([
    ['killed', () => redis.process.kill(), () => redis.process.start()],
    ['hung', async () => redis.process.pause(), async () => redis.process.resume()],
  ])('goes on limiting, each node for itself, while Redis is %s', async (_, fail, mend) => {
    await takeMany(nodes[0]!, 5);
    await fail();
    const startedMs = performance.now();
    expect(admitted(await takeMany(nodes[0]!, 20))).toBe(5);
    expect(admitted(await takeMany(nodes[1]!, 20))).toBe(5);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    await mend();
    await until(() => stores.every((store) => store.usable));
    const both = [await takeMany(nodes[0]!, 10, 'b'), await takeMany(nodes[1]!, 10, 'b')];
    expect(admitted(both.flat())).toBe(5);
  });

  it('begins anew when Redis is flushed, scripts included', async () => {
    await takeMany(nodes[0]!, 5);
    await stores[0]!.run((client) => client.flushall());
    await stores[0]!.run((client) => client.script('FLUSH'));
    expect(admitted(await takeMany(nodes[1]!, 10))).toBe(5);
  });

  it('limits where Redis holds something else under a name, or has no memory left', async () => {
    await stores[0]!.run((client) => client.hset('limit:test:a', 'field', 'x'));
    expect(admitted(await takeMany(nodes[0]!, 10))).toBe(5);
    await stores[0]!.run((client) => client.set('limit:test:b', 'not a number'));
    expect(admitted(await takeMany(nodes[0]!, 10, 'b'))).toBe(5);
    await stores[0]!.run((client) => client.config('SET', 'maxmemory', '1'));
    expect(admitted(await takeMany(nodes[0]!, 10, 'c'))).toBe(5);
  });
});
