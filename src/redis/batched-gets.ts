// Values that are asked for one by one and fetched together: all that are asked for in one turn of the event loop are
// one command, one write to the socket and one wait (RedisStore), instead of each its own.
import type { RedisStore } from './redis-store.js';

/** Of one command: its answer comes as a whole, and must in time. */
const KEYS_MAX = 32;

interface Wanted {
  readonly key: string;
  readonly give: (value: Buffer | null) => void;
}

export class BatchedGets {
  #wanted: Wanted[] = [];

  constructor(private readonly redis: Pick<RedisStore, 'run'>) {}

  /** Null: there is none, or Redis is unavailable. */
  get(key: string): Promise<Buffer | null> {
    return new Promise((give) => {
      this.#wanted.push({ key, give });
      // Once the sockets are read that have something.
      if (this.#wanted.length === 1) setImmediate(() => this.#fetchAll());
    });
  }

  #fetchAll(): void {
    const wanted = this.#wanted;
    this.#wanted = [];
    for (let from = 0; from < wanted.length; from += KEYS_MAX)
      void this.#fetch(wanted.slice(from, from + KEYS_MAX));
  }

  async #fetch(wanted: readonly Wanted[]): Promise<void> {
    const keys = wanted.map(({ key }) => key);
    const reply = await this.redis.run((client) => client.mgetBuffer(keys));
    const values = reply.outcome === 'answered' ? reply.value : [];
    for (const [at, { give }] of wanted.entries()) give(values[at] ?? null);
  }
}
