// What the archiver measures and says.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../telemetry/telemetry.js';
import type { Partition } from '../tracking-log/tracking-log.js';
import type { Segment } from './segment.js';

export type RemovalReason = 'merged' | 'expired' | 'orphaned';

@Injectable()
export class ArchiveTelemetry {
  readonly #segments: Counter<'kind'>;
  readonly #events: Counter<'kind'>;
  readonly #bytes: Counter<'kind'>;
  readonly #writeSeconds: Histogram<'kind'>;
  readonly #removed: Counter<'reason'>;
  readonly #lost: Counter;
  readonly #failures: Counter;
  /** Epoch ms of the oldest batch that is in the log and not in the archive. */
  readonly #waitingSince = new Map<Partition, number | null>();

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    const labelNames = ['kind'] as const;
    this.#segments = new Counter({
      name: 'tidemark_archive_segments_total',
      help: 'Segments written to the archive: cut from the log, or merged from smaller ones.',
      ...{ labelNames, registers },
    });
    this.#events = new Counter({
      name: 'tidemark_archive_events_total',
      help: 'Events in the segments written.',
      ...{ labelNames, registers },
    });
    this.#bytes = new Counter({
      name: 'tidemark_archive_bytes_total',
      help: 'Bytes of the segments written.',
      ...{ labelNames, registers },
    });
    this.#writeSeconds = new Histogram({
      name: 'tidemark_archive_write_seconds',
      help: 'Reading, encoding and storing one segment.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      ...{ labelNames, registers },
    });
    this.#removed = new Counter({
      name: 'tidemark_archive_removed_total',
      help: 'Objects removed from the archive: merged into another, past their retention, or orphaned.',
      labelNames: ['reason'],
      registers,
    });
    this.#lost = new Counter({
      name: 'tidemark_archive_changes_lost_total',
      help: 'Segments that were given up because another process had changed the manifest.',
      registers,
    });
    this.#failures = new Counter({
      name: 'tidemark_archive_failures_total',
      help: 'Times archiving a partition failed and was started over.',
      registers,
    });
    const waitingSince = this.#waitingSince;
    new Gauge({
      name: 'tidemark_archive_lag_seconds',
      help: 'Age of the oldest batch of the log that is not in the archive, by the partitions archived here.',
      labelNames: ['partition'],
      registers,
      collect() {
        this.reset();
        for (const [partition, since] of waitingSince) {
          this.set({ partition }, since === null ? 0 : Math.max(0, Date.now() - since) / 1_000);
        }
      },
    });
  }

  /** @param startedAt by performance.now() */
  segmentWritten(
    segment: Segment,
    { kind, startedAt }: { readonly kind: 'cut' | 'merged'; readonly startedAt: number },
  ): void {
    const { object, events, bytes } = segment;
    this.#segments.inc({ kind });
    this.#events.inc({ kind }, events);
    this.#bytes.inc({ kind }, bytes);
    const seconds = (performance.now() - startedAt) / 1_000;
    this.#writeSeconds.observe({ kind }, seconds);
    this.telemetry.log.info({ object, kind, events, bytes, seconds }, 'segment archived');
  }

  objectRemoved(reason: RemovalReason): void {
    this.#removed.inc({ reason });
  }

  changeLost(): void {
    this.#lost.inc();
  }

  /** @param since epoch ms; null: everything is archived */
  waiting(partition: Partition, since: number | null): void {
    this.#waitingSince.set(partition, since);
  }

  failed(partition: Partition, reason: string): void {
    this.#failures.inc();
    this.telemetry.log.error({ partition, reason }, 'archiving failed and is tried again');
  }

  released(partition: Partition): void {
    this.#waitingSince.delete(partition);
  }
}
