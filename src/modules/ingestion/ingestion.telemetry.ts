// What ingestion measures. Every event that was received is accounted for:
// received = accepted + duplicates + rejected + dropped, as soon as nothing is under way.
// Counts are kept as plain numbers and copied when somebody asks: counting costs no lookup.
import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { Partition } from '../../tracking-log/tracking-log.js';
import type { DropReason, RejectionReason } from './verdict.js';

/** Events that were fine but were answered 503: the client sends them again. */
export const UNAVAILABLE_REASONS = [
  'overloaded',
  'salt_unavailable',
  'batch_too_large',
  'log_full',
  'log_unavailable',
] as const;
export type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number];

/** Events of requests that were answered 429 before any of them was looked at. */
export const ADDRESS_LIMITED = 'address_limited';

type CountedReason = RejectionReason | UnavailableReason | typeof ADDRESS_LIMITED;

@Injectable()
export class IngestionTelemetry {
  private readonly log: Telemetry['log'];
  private readonly registers: Telemetry['registry'][];
  private readonly appendSeconds: Histogram;
  private readonly appendEvents: Histogram;
  private receivedEvents = 0;
  private acceptedEvents = 0;
  private duplicateEvents = 0;
  private readonly rejectedEvents = new Map<CountedReason, number>();
  private readonly droppedEvents = new Map<DropReason, number>();

  constructor(@Inject(Telemetry) telemetry: Telemetry) {
    this.log = telemetry.log.child({ module: 'ingestion' });
    this.registers = [telemetry.registry];
    this.count('received', 'Events that arrived in readable requests.', () => this.receivedEvents);
    this.count('accepted', 'Events durably appended and acknowledged.', () => this.acceptedEvents);
    this.count(
      'duplicates',
      'Events whose id had been appended a short while ago.',
      () => this.duplicateEvents,
    );
    this.countByReason(
      'rejected',
      'Events refused, or answered 429 or 503 with their whole request, by reason.',
      this.rejectedEvents,
    );
    this.countByReason('dropped', 'Acceptable events not kept, by reason.', this.droppedEvents);
    this.appendSeconds = new Histogram({
      name: 'tidemark_ingestion_append_seconds',
      help: 'Time until a batch was durable or refused.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers: this.registers,
    });
    this.appendEvents = new Histogram({
      name: 'tidemark_ingestion_batch_events',
      help: 'Events that shared one append.',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
      registers: this.registers,
    });
  }

  received(events: number): void {
    this.receivedEvents += events;
  }

  accepted(events: number): void {
    this.acceptedEvents += events;
  }

  duplicates(events: number): void {
    this.duplicateEvents += events;
  }

  rejected(reason: CountedReason, events = 1): void {
    this.rejectedEvents.set(reason, (this.rejectedEvents.get(reason) ?? 0) + events);
  }

  dropped(reason: DropReason): void {
    this.droppedEvents.set(reason, (this.droppedEvents.get(reason) ?? 0) + 1);
  }

  appended({ seconds, events }: { seconds: number; events: number }): void {
    this.appendSeconds.observe(seconds);
    this.appendEvents.observe(events);
  }

  appendFailed(error: unknown, partition: Partition): void {
    this.log.error({ err: error, partition }, 'the tracking log failed unexpectedly; intake answers 503');
  }

  saltsNotRefreshed(error: unknown): void {
    this.log.warn({ err: error }, 'daily salts could not be read or made; trying again');
  }

  saltReplaced(day: string): void {
    this.log.warn({ day }, 'the salt of a day was lost and another was made: its visitors count anew');
  }

  watchQueue(bytes: () => number): void {
    new Gauge({
      name: 'tidemark_ingestion_queue_bytes',
      help: 'Bytes of events waiting for the tracking log.',
      registers: this.registers,
      collect() {
        this.set(bytes());
      },
    });
  }

  private count(name: string, help: string, value: () => number): void {
    new Counter({
      name: `tidemark_ingestion_events_${name}_total`,
      help,
      registers: this.registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  private countByReason(name: string, help: string, values: ReadonlyMap<string, number>): void {
    new Counter({
      name: `tidemark_ingestion_events_${name}_total`,
      help,
      labelNames: ['reason'],
      registers: this.registers,
      collect() {
        this.reset();
        for (const [reason, events] of values) this.inc({ reason }, events);
      },
    });
  }
}
