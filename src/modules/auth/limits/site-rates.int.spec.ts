import { openRedis, PATIENT, until } from '../../../../test/redis-node.js';
import { describeWith } from '../../../../test/servers/describe-with.js';
import { startRedis, type TestRedis } from '../../../../test/servers/redis.js';
import type { RedisStore } from '../../../redis/redis-store.js';
import { RateLimits } from './rate-limits.js';
import { SiteRates } from './site-rates.js';

const RATE = { eventsPerSecondMax: 100, burstSeconds: 2 };
const BURST = 200;
/** What a node lends while it asks: a tenth of a second's. */
const CREDIT = 10;

const takenOf = (rates: SiteRates, events: number, { site = 'a', nowMs = Date.now() } = {}) => {
  let taken = 0;
  for (let event = 0; event < events; event++) taken += rates.waitSeconds(site, nowMs) === 0 ? 1 : 0;
  return taken;
};

describe('without Redis', () => {
  it('takes a burst, then the rate, and holds nobody off for it but the site', () => {
    let nowMs = 1_000_000;
    const rates = new SiteRates(new RateLimits(openRedis(undefined), () => nowMs), RATE);
    expect(takenOf(rates, 1_000, { nowMs })).toBe(BURST);
    expect(rates.waitSeconds('a', nowMs)).toBe(1);
    expect(takenOf(rates, 1_000, { site: 'b', nowMs })).toBe(BURST);
    let taken = 0;
    for (let second = 0; second < 10; second++) {
      nowMs += 1_000;
      taken += takenOf(rates, 1_000, { nowMs });
    }
    expect(taken).toBe(10 * 100);
  });
});

describeWith('own-redis', 'with Redis', () => {
  let redis: TestRedis;
  let stores: RedisStore[];
  let nodes: SiteRates[];

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    stores = [openRedis(redis.url, PATIENT), openRedis(redis.url, PATIENT)];
    nodes = stores.map((store) => new SiteRates(new RateLimits(store), RATE));
    for (const store of stores) await store.ready(5_000);
  });
  afterEach(async () => {
    for (const store of stores) store.onApplicationShutdown();
    await redis.stop();
  });

  it('takes over all nodes together what one would, but for what each lends while it asks', async () => {
    const startedMs = performance.now();
    let taken = 0;
    for (let round = 0; round < 100; round++) {
      for (const node of nodes) taken += takenOf(node, 20);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const refilled = Math.ceil((performance.now() - startedMs) / 10);
    expect(taken).toBeGreaterThanOrEqual(BURST);
    // Lent each time that a site is let in again after a second of holding off.
    const seconds = Math.ceil(refilled / 100) + 1;
    expect(taken).toBeLessThanOrEqual(BURST + refilled + nodes.length * CREDIT * seconds);
  });

  it('lends no more than the credit while Redis has not answered', async () => {
    expect(takenOf(nodes[0]!, 1_000)).toBe(CREDIT);
    await until(() => nodes[0]!.waitSeconds('a', Date.now()) === 0);
  });

  it('asks Redis nothing while a site is held off', async () => {
    await until(async () => {
      takenOf(nodes[0]!, 50);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return (nodes[0]!.standingAt('a', Date.now())?.waitSeconds ?? 0) > 0;
    });
    const runs = jest.spyOn(stores[0]!, 'run');
    expect(takenOf(nodes[0]!, 1_000)).toBe(0);
    expect(runs).not.toHaveBeenCalled();
  });

  it('is never without limit when Redis is gone', async () => {
    await redis.process.kill();
    let taken = 0;
    const startedMs = performance.now();
    while (performance.now() - startedMs < 1_000) {
      taken += takenOf(nodes[0]!, 20);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(taken).toBeGreaterThanOrEqual(BURST);
    expect(taken).toBeLessThanOrEqual(BURST + 3 * 100 + 3 * CREDIT);
  });
});
