// What the Kafka driver measures and says about Kafka's absence: a line now and then, a count always.
import { Counter } from 'prom-client';
import type { Telemetry } from '../telemetry/telemetry.js';

const LINE_INTERVAL_MS = 10_000;

export type KafkaPurpose = 'append' | 'read' | 'ask';

export class KafkaTelemetry {
  readonly #failures: Counter<'purpose'>;
  readonly #saidAt = new Map<KafkaPurpose, number>();

  constructor(private readonly telemetry: Telemetry) {
    this.#failures = new Counter({
      name: 'tidemark_tracking_log_kafka_failures_total',
      help: 'Requests that Kafka failed or did not answer; each is tried again over new connections.',
      labelNames: ['purpose'],
      registers: [telemetry.registry],
    });
  }

  failed(purpose: KafkaPurpose, error: unknown): void {
    this.#failures.inc({ purpose });
    const now = Date.now();
    if (now - (this.#saidAt.get(purpose) ?? 0) < LINE_INTERVAL_MS) return;
    this.#saidAt.set(purpose, now);
    const { name, message } = error as Error;
    this.telemetry.log.warn({ purpose, error: name, reason: message }, 'Kafka failed; it is tried again');
  }
}
