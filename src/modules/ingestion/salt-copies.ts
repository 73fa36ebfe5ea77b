// The salts in Redis, by which nodes learn them from each other without their being written to a disk.
// A copy goes by itself 48 h after its day began, even if no node runs. It is never trusted: whoever
// reads it compares its fingerprint with the one decided.
import type { RedisStore } from '../../redis/redis-store.js';
import { dateOf } from './salt-register.js';

const DAY_MS = 86_400_000;
/** Several tries to connect: a process that boots is slow to hear the answers. */
const READY_TIMEOUT_MS = 1_500;

/** The hash tag keeps all days on one node of a cluster. */
const keyOf = (day: number): string => `salt:{daily}:${dateOf(day)}`;

export class SaltCopies {
  constructor(private readonly redis: RedisStore) {}

  /** So that a process that has just begun does not take Redis for absent. */
  ready(): Promise<void> {
    return this.redis.ready(READY_TIMEOUT_MS);
  }

  /** Undefined: Redis does not answer. */
  async read(days: readonly number[]): Promise<ReadonlyMap<number, string | null> | undefined> {
    const reply = await this.redis.run((redis) => redis.mget(days.map(keyOf)));
    return reply.outcome === 'answered'
      ? new Map(days.map((day, index) => [day, reply.value[index]!]))
      : undefined;
  }

  async put(day: number, salt: string): Promise<void> {
    await this.redis.run((redis) => redis.set(keyOf(day), salt, 'PXAT', (day + 2) * DAY_MS));
  }
}
