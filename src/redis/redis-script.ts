// A Lua script, which Redis runs as one step: sent whole once, by its digest from then on.
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

export class RedisScript {
  readonly #digest: string;

  constructor(private readonly lua: string) {
    this.#digest = createHash('sha1').update(lua).digest('hex');
  }

  async run(
    redis: Redis,
    keys: readonly string[],
    values: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    const rest = [keys.length, ...keys, ...values] as const;
    try {
      return await redis.evalsha(this.#digest, ...rest);
    } catch (error) {
      // A Redis that was restarted or flushed knows no scripts.
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return redis.eval(this.lua, ...rest);
    }
  }
}
