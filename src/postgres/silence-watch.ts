// A server that hangs, or a network that swallows, says nothing: connections stay open, and whoever
// asked would wait as long as TCP does, a quarter of an hour. So where an answer is waited for for some
// seconds, the server is asked on a new connection whether it is there. If it says nothing there
// either, the waiting connections are cut, and fail as if the server had refused.
import { Client, type Pool, type PoolClient } from 'pg';
import { settingsOf } from './pool-settings.js';

const LOOK_INTERVAL_MS = 2_000;
const WAITED_MS = 5_000;
const ANSWER_TIMEOUT_MS = 3_000;

export class SilenceWatch {
  readonly #takenAt = new Map<PoolClient, number>();
  readonly #timer: NodeJS.Timeout;
  #asking = false;

  constructor(
    private readonly pool: Pool,
    private readonly onCut: (connections: number) => void,
  ) {
    pool.on('acquire', (client) => this.#takenAt.set(client, performance.now()));
    pool.on('release', (_, client) => this.#takenAt.delete(client));
    pool.on('remove', (client) => this.#takenAt.delete(client));
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#asking) return;
    const waitedSince = performance.now() - WAITED_MS;
    if (![...this.#takenAt.values()].some((takenAt) => takenAt < waitedSince)) return;
    // What the server does not say to a new connection it says to none that was taken before.
    const waiting = [...this.#takenAt];
    this.#asking = true;
    const silent = (await saysAnything(this.pool))
      ? []
      : waiting.filter(([client, takenAt]) => this.#takenAt.get(client) === takenAt);
    this.#asking = false;
    if (silent.length === 0) return;
    this.onCut(silent.length);
    // Ending a connection that waits for an answer destroys it at once.
    for (const [client] of silent) void (client as unknown as Client).end().catch(() => undefined);
  }
}

/** A refusal is an answer, too: then what waits is merely slow. */
async function saysAnything(pool: Pool): Promise<boolean> {
  const client = new Client({
    ...settingsOf(pool),
    application_name: 'tidemark-silence-watch',
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // told by the rejected call as well
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch (error) {
    return !/timeout/i.test((error as Error).message);
  } finally {
    void client.end().catch(() => undefined);
  }
}
