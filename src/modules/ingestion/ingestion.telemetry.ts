// What ingestion measures. Every event that was received is accounted for:
// received = accepted + duplicates + rejected + dropped, of each wire format, as soon as nothing is under way.
// Counts are kept as plain numbers and copied when somebody asks: counting costs no lookup.
import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { Partition } from '../../tracking-log/tracking-log.js';
import type { DropReason, RejectionReason } from './verdict.js';
import { type Wire, WIRES } from './wire/wire.js';

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
  private readonly tallies = new Map<Wire, WireTally>(WIRES.map((wire) => [wire, new WireTally()]));
  private readonly refusedRequests = new Map<RejectionReason, number>();

  constructor(@Inject(Telemetry) telemetry: Telemetry) {
    this.log = telemetry.log.child({ module: 'ingestion' });
    this.registers = [telemetry.registry];
    this.count('received', 'Events that arrived in readable requests.');
    this.count('accepted', 'Events durably appended and acknowledged.');
    this.count('duplicates', 'Events whose id had been appended a short while ago.');
    this.countByReason(
      'rejected',
      'Events refused, or answered 429 or 503 with their whole request, by reason.',
    );
    this.countByReason('dropped', 'Acceptable events not kept, by reason.');
    this.countRefused();
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

  /** What came by it, to be counted up. */
  of(wire: Wire): WireTally {
    return this.tallies.get(wire)!;
  }

  refusedEarly(reason: RejectionReason): void {
    this.refusedRequests.set(reason, (this.refusedRequests.get(reason) ?? 0) + 1);
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

  private count(name: 'received' | 'accepted' | 'duplicates', help: string): void {
    const { tallies } = this;
    new Counter({
      name: `tidemark_ingestion_events_${name}_total`,
      help,
      labelNames: ['wire'],
      registers: this.registers,
      collect() {
        this.reset();
        for (const [wire, tally] of tallies) if (tally.received > 0) this.inc({ wire }, tally[name]);
      },
    });
  }

  private countRefused(): void {
    const { refusedRequests } = this;
    new Counter({
      name: 'tidemark_ingestion_requests_refused_total',
      help: 'Requests refused before their events were read, by reason: those are in no count of events.',
      labelNames: ['reason'],
      registers: this.registers,
      collect() {
        this.reset();
        for (const [reason, requests] of refusedRequests) this.inc({ reason }, requests);
      },
    });
  }

  private countByReason(name: 'rejected' | 'dropped', help: string): void {
    const { tallies } = this;
    new Counter({
      name: `tidemark_ingestion_events_${name}_total`,
      help,
      labelNames: ['wire', 'reason'],
      registers: this.registers,
      collect() {
        this.reset();
        for (const [wire, tally] of tallies) {
          for (const [reason, events] of tally[name]) this.inc({ wire, reason }, events);
        }
      },
    });
  }
}

/** Events of one wire format since the process began. */
export class WireTally {
  received = 0;
  accepted = 0;
  duplicates = 0;
  readonly rejected = new Map<CountedReason, number>();
  readonly dropped = new Map<DropReason, number>();

  reject(reason: CountedReason, events = 1): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + events);
  }

  drop(reason: DropReason, events = 1): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + events);
  }
}
