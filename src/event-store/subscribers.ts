// All who follow one store, whichever it is: they share the connection that hears of appends, which is
// made with the first of them.
import { AppendListener, type Listen } from './append-listener.js';
import type { GlobalPosition, Subscription } from './event-store.js';
import type { EventStoreTelemetry } from './event-store.telemetry.js';
import { StoreSubscription, type SubscriptionSource } from './store-subscription.js';

export class Subscribers {
  readonly #subscriptions = new Set<StoreSubscription>();
  #listener: AppendListener | undefined;

  constructor(
    private readonly listen: Listen,
    private readonly telemetry: EventStoreTelemetry,
  ) {}

  add(after: GlobalPosition | null, source: Omit<SubscriptionSource, 'closed'>): Subscription {
    this.#listener ??= new AppendListener(this.listen, () => this.#wakeAll(), this.telemetry);
    const closed = (): void => void this.#subscriptions.delete(subscription);
    const subscription = new StoreSubscription(after, { ...source, closed }, this.telemetry);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Undefined when there are none. */
  oldestFreshAt(): number | undefined {
    if (this.#subscriptions.size === 0) return undefined;
    return Math.min(...[...this.#subscriptions].map((subscription) => subscription.freshAt));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.#listener?.close();
  }

  #wakeAll(): void {
    for (const subscription of this.#subscriptions) subscription.wake();
  }
}
