// What a node has of Redis, for specs that put several beside one server.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { readConfig } from '../src/config/config.js';
import { RedisStore } from '../src/redis/redis-store.js';
import { RedisTelemetry } from '../src/redis/redis.telemetry.js';
import { Telemetry } from '../src/telemetry/telemetry.js';

const PATIENCE_MS = 60_000;

/** For what is to be agreed on a busy machine: nothing is late there. */
export const PATIENT = { REDIS_TIMEOUT_MS: '1000' };

export function openRedis(
  url: string | undefined,
  settings: Readonly<Record<string, string>> = {},
): RedisStore {
  const config = readConfig({ ...(url !== undefined && { REDIS_URL: url }), ...settings });
  return new RedisStore(config, new RedisTelemetry(new Telemetry('silent')));
}

/** What somebody does there who is no node: patiently, and under the names that nodes use. */
export async function inRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { keyPrefix: 'tidemark:' });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** @throws if it does not come true. */
export async function until(
  comesTrue: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await comesTrue())) {
    if (Date.now() > deadline) throw new Error(`Not within ${patienceMs} ms: ${comesTrue.toString()}`);
    await delay(20);
  }
}
