// What the tracking log measures about itself.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export class TrackingLogTelemetry {
  readonly appendedBatches: Counter;
  readonly appendedEvents: Counter;
  readonly appendedBytes: Counter;
  readonly refusedBatches: Counter<'reason'>;
  /** Its count is the number of durable writes: batches ÷ count is what group commit saves. */
  readonly commitSeconds: Histogram;
  readonly sizeBytesMax: Gauge;

  /** @param store what the appends go to, as its metrics are called */
  constructor(registry: Registry, store: 'tracking_log' | 'spool' = 'tracking_log') {
    const registers = [registry];
    this.appendedBatches = new Counter({
      name: `tidemark_${store}_appended_batches_total`,
      help: 'Batches made durable by this process.',
      registers,
    });
    this.appendedEvents = new Counter({
      name: `tidemark_${store}_appended_events_total`,
      help: 'Events made durable by this process.',
      registers,
    });
    this.appendedBytes = new Counter({
      name: `tidemark_${store}_appended_bytes_total`,
      help: 'Bytes of batches made durable by this process.',
      registers,
    });
    this.refusedBatches = new Counter({
      name: `tidemark_${store}_refused_batches_total`,
      help: 'Batches refused, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.commitSeconds = new Histogram({
      name: `tidemark_${store}_commit_seconds`,
      help: 'Time of one durable write, which may carry many batches.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    });
    this.sizeBytesMax = new Gauge({
      name: `tidemark_${store}_size_max_bytes`,
      help: 'Size at which appends are refused.',
      registers,
    });
  }
}
