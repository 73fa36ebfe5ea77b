// What the spool measures, beside what every durable write measures: how much waits in it and for how
// long, and what has left it. Also says in the process's log when an outage begins and when it is over.
import { Counter, Gauge } from 'prom-client';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Partition, RefusalReason } from './tracking-log.js';
import { TrackingLogTelemetry } from './tracking-log.telemetry.js';

export interface SpoolState {
  readonly batches: number;
  readonly bytes: number;
  /** Epoch ms; null when nothing waits. */
  readonly oldestAt: number | null;
}

export class SpoolTelemetry extends TrackingLogTelemetry {
  readonly #log: Telemetry['log'];
  readonly #registers: Telemetry['registry'][];
  readonly #drainedBatches: Counter;
  readonly #drainedEvents: Counter;
  readonly #failedDrains: Counter<'reason'>;

  constructor({ registry, log }: Telemetry) {
    super(registry, 'spool');
    this.#log = log.child({ module: 'spool' });
    this.#registers = [registry];
    this.#drainedBatches = new Counter({
      name: 'tidemark_spool_drained_batches_total',
      help: 'Spooled batches that the tracking log has acknowledged.',
      registers: this.#registers,
    });
    this.#drainedEvents = new Counter({
      name: 'tidemark_spool_drained_events_total',
      help: 'Spooled events that the tracking log has acknowledged.',
      registers: this.#registers,
    });
    this.#failedDrains = new Counter({
      name: 'tidemark_spool_failed_drains_total',
      help: 'Tries to drain that the tracking log refused, by reason.',
      labelNames: ['reason'],
      registers: this.#registers,
    });
  }

  watch(state: () => Promise<SpoolState>): void {
    const gauge = (name: string, help: string, value: (state: SpoolState) => number): void => {
      new Gauge({
        name: `tidemark_spool_${name}`,
        help,
        registers: this.#registers,
        async collect() {
          this.set(value(await state()));
        },
      });
    };
    gauge('waiting_batches', 'Batches that wait for the tracking log.', ({ batches }) => batches);
    gauge('size_bytes', 'Bytes of the spool that are in use.', ({ bytes }) => bytes);
    gauge('oldest_age_seconds', 'How long the oldest batch has waited.', ({ oldestAt }) =>
      oldestAt === null ? 0 : Math.max(0, Date.now() - oldestAt) / 1000,
    );
  }

  drained({ batches, events }: { batches: number; events: number }): void {
    this.#drainedBatches.inc(batches);
    this.#drainedEvents.inc(events);
  }

  drainFailed(reason: RefusalReason): void {
    this.#failedDrains.inc({ reason });
  }

  appendThrew(error: unknown, partition: Partition): void {
    this.#log.error(
      { err: error, partition },
      'the tracking log failed unexpectedly; it counts as unavailable',
    );
  }

  spoolingBegan(partition: Partition): void {
    this.#log.warn(
      { partition },
      'the tracking log does not take the events of a partition: they are spooled',
    );
  }

  spoolingEnded(partition: Partition): void {
    this.#log.info({ partition }, 'the spooled events of a partition are in the tracking log');
  }
}
