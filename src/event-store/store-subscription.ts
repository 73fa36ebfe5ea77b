// One subscriber's way along the store, whichever it is: reads pages after its position, hands the
// events over one at a time, then sleeps until woken by a notification, a caughtUp() or the poll.
// Misses nothing, because positions become visible in order; survives the store going away, because
// a failed read is only tried again.
import { backoffMs } from '../waiting/backoff.js';
import type { EventStoreTelemetry } from './event-store.telemetry.js';
import type { GlobalPosition, RecordedEvent, Subscription } from './event-store.js';

const PAGE_EVENTS_MAX = 500;
/** Bounds the delay when a notification is lost (a broken connection, a connection pooler). */
const POLL_INTERVAL_MS = 1_000;

export interface SubscriptionSource {
  /** Fewer than `limit` only at the end. */
  readAfter(position: GlobalPosition | null, limit: number): Promise<readonly RecordedEvent[]>;
  handle(event: RecordedEvent): void | Promise<void>;
  closed(subscription: StoreSubscription): void;
}

export class SubscriptionClosedError extends Error {
  override readonly name = 'SubscriptionClosedError';
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export class StoreSubscription implements Subscription {
  freshAt = 0;
  #position: GlobalPosition | null;
  #waiters: Waiter[] = [];
  #closed = false;
  #woken = false;
  #wakeSleeper: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(
    after: GlobalPosition | null,
    private readonly source: SubscriptionSource,
    private readonly telemetry: EventStoreTelemetry,
  ) {
    this.#position = after;
    this.#running = this.#run();
  }

  caughtUp(): Promise<void> {
    if (this.#closed) return Promise.reject(new SubscriptionClosedError('The subscription is closed.'));
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.wake();
    });
  }

  wake(): void {
    this.#woken = true;
    this.#wakeSleeper?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closed) {
      this.#woken = false;
      try {
        const atEnd = await this.#pass();
        if (failures > 0) this.telemetry.connectionRegained('subscription');
        failures = 0;
        if (atEnd) await this.#sleep(POLL_INTERVAL_MS);
      } catch (error) {
        if (failures === 0) this.telemetry.connectionLost('subscription', error);
        // Not cut short by wake(): whoever waits would else hammer a server that is down.
        this.#woken = false;
        await this.#sleep(backoffMs(failures++));
      }
    }
    for (const waiter of this.#waiters)
      waiter.reject(new SubscriptionClosedError('The subscription closed.'));
    this.source.closed(this);
  }

  /** Reads and hands over one page. True when that page was the last. */
  async #pass(): Promise<boolean> {
    const startedAt = Date.now();
    // Only those who asked before the read began may be told that it saw everything.
    const served = this.#waiters.length;
    const page = await this.source.readAfter(this.#position, PAGE_EVENTS_MAX);
    for (const event of page) {
      if (!(await this.#handOver(event))) return true;
      this.#position = event.position;
    }
    if (page.length === PAGE_EVENTS_MAX) return false;
    this.freshAt = startedAt;
    for (const waiter of this.#waiters.splice(0, served)) waiter.resolve();
    return true;
  }

  /** False when closed before the handler accepted the event. */
  async #handOver(event: RecordedEvent): Promise<boolean> {
    for (let failures = 0; !this.#closed; failures++) {
      try {
        const handling = this.source.handle(event);
        // Most handle an event at once: a history of millions is not to pause after each.
        if (handling !== undefined) await handling;
        return true;
      } catch (error) {
        this.telemetry.handlerFailed(event, error);
        this.#woken = false;
        await this.#sleep(backoffMs(failures));
      }
    }
    return false;
  }

  #sleep(durationMs: number): Promise<void> {
    if (this.#woken || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakeSleeper = undefined;
        resolve();
      };
      const timer = setTimeout(wake, durationMs);
      this.#wakeSleeper = wake;
    });
  }
}
