// What the event store measures and logs: appends by outcome, how long ago each subscription last
// knew itself to be at the end, handlers that failed, connections lost and regained.
import { Counter, Gauge } from 'prom-client';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { RecordedEvent } from './event-store.js';

export type AppendResult = 'stored' | 'conflict' | 'failed';

export class EventStoreTelemetry {
  readonly #log: Telemetry['log'];
  readonly #appends: Counter<'outcome'>;
  readonly #handlerFailures: Counter;
  readonly #connectionsLost: Counter;

  constructor(telemetry: Telemetry, oldestFreshAt: () => number | undefined) {
    this.#log = telemetry.log.child({ module: 'event-store' });
    const registers = [telemetry.registry];
    this.#appends = new Counter({
      name: 'tidemark_event_store_appends_total',
      help: 'Appends to the event store by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#handlerFailures = new Counter({
      name: 'tidemark_event_store_handler_failures_total',
      help: 'Times a subscriber failed on an event and was given it again.',
      registers,
    });
    this.#connectionsLost = new Counter({
      name: 'tidemark_event_store_connections_lost_total',
      help: 'Times a subscription could not read, or its notification connection broke.',
      registers,
    });
    new Gauge({
      name: 'tidemark_event_store_subscription_age_seconds',
      help: 'Time since the most backward subscription last knew itself to be at the end.',
      registers,
      collect() {
        const freshAt = oldestFreshAt();
        this.set(freshAt === undefined ? 0 : (Date.now() - freshAt) / 1000);
      },
    });
  }

  appended(outcome: AppendResult): void {
    this.#appends.inc({ outcome });
  }

  handlerFailed(event: RecordedEvent, error: unknown): void {
    this.#handlerFailures.inc();
    const { position, stream, type } = event;
    this.#log.error({ position, stream, type, err: error }, 'subscriber failed on an event, trying it again');
  }

  connectionLost(what: 'subscription' | 'notifications', error: unknown): void {
    this.#connectionsLost.inc();
    this.#log.warn({ what, err: error }, 'event store connection lost, trying again');
  }

  connectionRegained(what: 'subscription' | 'notifications'): void {
    this.#log.info({ what }, 'event store connection regained');
  }
}
