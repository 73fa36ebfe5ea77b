// What the EventStoreDB driver of the tracking log measures and says about the server's absence: a
// count always, a line when it begins and when it is over.
import { Counter } from 'prom-client';
import type { Telemetry } from '../telemetry/telemetry.js';

export type EventStoreDbPurpose = 'append' | 'read';

export class EventStoreDbLogTelemetry {
  readonly #failures: Counter<'purpose'>;
  readonly #failing = new Set<EventStoreDbPurpose>();

  constructor(private readonly telemetry: Telemetry) {
    this.#failures = new Counter({
      name: 'tidemark_tracking_log_eventstoredb_failures_total',
      help: 'Calls that EventStoreDB failed or did not answer.',
      labelNames: ['purpose'],
      registers: [telemetry.registry],
    });
  }

  failed(purpose: EventStoreDbPurpose, error: unknown): void {
    this.#failures.inc({ purpose });
    if (this.#failing.has(purpose)) return;
    this.#failing.add(purpose);
    this.telemetry.log.warn({ purpose, err: error }, 'EventStoreDB fails the tracking log');
  }

  succeeded(purpose: EventStoreDbPurpose): void {
    if (!this.#failing.delete(purpose)) return;
    this.telemetry.log.info({ purpose }, 'EventStoreDB serves the tracking log again');
  }
}
