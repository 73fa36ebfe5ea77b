// Hears of appends as they happen, so that subscribers act at once instead of at the next poll. Only
// promptness rests on it, never completeness: a lost notification costs a poll. After every
// (re)connection it reports an append, since one may have been missed meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../waiting/backoff.js';
import { within } from '../waiting/within.js';
import type { EventStoreTelemetry } from './event-store.telemetry.js';

/** A hung server would never confirm the end of the connection. */
const CLOSE_TIMEOUT_MS = 500;

export interface Listening {
  readonly connected: () => void;
  readonly appended: () => void;
  /** Aborted when nobody wants to hear any more. */
  readonly signal: AbortSignal;
}

/** One connection: settles only when it ends. */
export type Listen = (listening: Listening) => Promise<void>;

export class AppendListener {
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    private readonly listen: Listen,
    private readonly onAppend: () => void,
    private readonly telemetry: EventStoreTelemetry,
  ) {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await within(CLOSE_TIMEOUT_MS, this.#running);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    const connected = (): void => {
      if (failures > 0) this.telemetry.connectionRegained('notifications');
      failures = 0;
      this.onAppend();
    };
    while (!signal.aborted) {
      try {
        await this.listen({ connected, appended: this.onAppend, signal });
        throw new Error('The connection ended.');
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) this.telemetry.connectionLost('notifications', error);
        await delay(backoffMs(failures++), undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
