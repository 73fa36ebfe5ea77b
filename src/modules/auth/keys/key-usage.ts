// When each key was last used: noted in memory by whoever looks keys up, written by every node once a
// minute and at its end, so that no request waits for it. A node that is killed forgets a minute at most.
// Beside the event store, since it is nothing that anybody did to a key.
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Pool } from 'pg';
import { AuthTelemetry } from '../auth.telemetry.js';
import { KeyDirectory, type KeyUse } from '../directories/key.directory.js';

const FLUSH_INTERVAL_MS = 60_000;
const KEYS_PER_STATEMENT = 1_000;

@Injectable()
export class KeyUsage implements OnApplicationBootstrap, OnModuleDestroy {
  /** Not written yet: epoch ms by key. No more than there are keys. */
  readonly #pending = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly keys: KeyDirectory,
    private readonly telemetry: AuthTelemetry,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** Writes what was noted. What cannot be written now is kept for the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing
      .then(() => this.#write())
      .catch((error: unknown) => this.telemetry.usesUnwritten(error));
    return this.#flushing;
  }

  /** The last use of each of `keys` that was ever used, as far as any node has written and this one knows. */
  async lastUses(keys: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    this.#gather();
    const { rows } = await this.pool.query<{ key: string; used_at: Date }>(
      'SELECT key, used_at FROM key_uses WHERE key = ANY($1)',
      [keys],
    );
    const uses = new Map(rows.map((row) => [row.key, row.used_at]));
    for (const key of keys) {
      const usedAtMs = this.#pending.get(key);
      if (usedAtMs !== undefined && usedAtMs > (uses.get(key)?.getTime() ?? 0)) {
        uses.set(key, new Date(usedAtMs));
      }
    }
    return uses;
  }

  #gather(): void {
    for (const { key, usedAtMs } of this.keys.takeUses()) {
      this.#pending.set(key, Math.max(usedAtMs, this.#pending.get(key) ?? 0));
    }
  }

  async #write(): Promise<void> {
    this.#gather();
    // In one order on all nodes, so that their statements wait for each other and never in a circle.
    const uses = [...this.#pending].map(([key, usedAtMs]): KeyUse => ({ key, usedAtMs }));
    uses.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (let at = 0; at < uses.length; at += KEYS_PER_STATEMENT) {
      const some = uses.slice(at, at + KEYS_PER_STATEMENT);
      await this.pool.query(
        `INSERT INTO key_uses (key, used_at)
         SELECT key, to_timestamp(ms / 1000) FROM unnest($1::text[], $2::float8[]) AS used (key, ms)
         ON CONFLICT (key) DO UPDATE SET used_at = excluded.used_at WHERE key_uses.used_at < excluded.used_at`,
        [some.map(({ key }) => key), some.map(({ usedAtMs }) => usedAtMs)],
      );
      for (const { key, usedAtMs } of some) {
        if (this.#pending.get(key) === usedAtMs) this.#pending.delete(key);
      }
    }
  }
}
