// A dedicated connection that hears of appends, so that subscribers act at once instead of at the
// next poll. Only promptness rests on it, never completeness: a lost notification costs a poll.
// After every (re)connection it reports an append, since one may have been missed meanwhile.
import { Client, type ClientConfig } from 'pg';
import { backoffMs } from './backoff.js';
import type { EventStoreTelemetry } from './event-store.telemetry.js';

export const APPENDS_CHANNEL = 'tidemark_event_store_appends';

const CONNECT_TIMEOUT_MS = 5_000;
/** A hung server would never confirm the end of the connection. */
const CLOSE_TIMEOUT_MS = 500;

export class AppendListener {
  #client: Client | undefined;
  #closed = false;
  #cutWait: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(
    private readonly connection: ClientConfig,
    private readonly onAppend: () => void,
    private readonly telemetry: EventStoreTelemetry,
  ) {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cutWait?.();
    void this.#client?.end().catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
    await Promise.race([this.#running, timeout]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closed) {
      try {
        await this.#listen(() => {
          if (failures > 0) this.telemetry.connectionRegained('notifications');
          failures = 0;
        });
      } catch (error) {
        if (this.#closed) return;
        if (failures === 0) this.telemetry.connectionLost('notifications', error);
        await this.#wait(backoffMs(failures++));
      }
    }
  }

  /** Settles only when the connection ends. */
  async #listen(connected: () => void): Promise<void> {
    const client = new Client({
      ...this.connection,
      // Hidden from enumeration by the pool, so that the spread does not carry it.
      password: this.connection.password,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    this.#client = client;
    const ended = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('The connection ended.')));
    });
    ended.catch(() => undefined);
    client.on('notification', this.onAppend);
    try {
      await client.connect();
      await client.query(`LISTEN ${APPENDS_CHANNEL}`);
      connected();
      this.onAppend();
      await ended;
    } finally {
      client.end().catch(() => undefined);
    }
  }

  #wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#cutWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
