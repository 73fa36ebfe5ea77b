// Appends to the Kafka topic. Each partition has one request under way; what arrives meanwhile waits
// and goes together, and partitions with the same leader share the request. An append is
// acknowledged when the leader says that all in-sync replicas have it, tried again while its time
// lasts, and refused when it is over: then it may still arrive, and a retry may store it twice.
import type { CompressionTypes } from 'kafkajs';
import { AppendQueue, type QueuedAppend } from './append-queue.js';
import { encodeBatch, stampOf } from './batch-codec.js';
import type { KafkaLink, OutgoingRecord } from './kafka.link.js';
import type { SizedBatch } from './log-gate.js';
import type { CommitOutcome, Partition } from './tracking-log.js';
import type { TrackingLogTelemetry } from './tracking-log.telemetry.js';

/** What one request carries; what is beyond goes in the next. */
const REQUEST_BYTES_MAX = 16_777_216;
const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 1_000;

export interface AppenderOptions {
  readonly partitions: number;
  readonly open: () => KafkaLink;
  readonly compression: CompressionTypes;
  readonly timeoutMs: number;
  readonly telemetry: TrackingLogTelemetry;
  readonly onFailure: (error: unknown) => void;
}

interface Outgoing extends SizedBatch {
  /** Made when it is sent first, the same whenever it is sent again. */
  record?: OutgoingRecord;
}

interface Lane {
  readonly partition: Partition;
  readonly queue: AppendQueue<Outgoing>;
  isBusy: boolean;
  pauseMs: number;
}

interface Shipment {
  readonly lane: Lane;
  /** kafkajs makes one batch of records of them. */
  readonly appends: readonly QueuedAppend<Outgoing>[];
}

export class KafkaAppender {
  readonly #lanes: readonly Lane[];
  #link: KafkaLink | undefined;
  readonly #unsettled = new Set<Promise<unknown>>();
  #isScheduled = false;
  #isClosed = false;

  constructor(private readonly options: AppenderOptions) {
    this.#lanes = Array.from({ length: options.partitions }, (_, partition) => ({
      partition,
      queue: new AppendQueue(options.timeoutMs),
      isBusy: false,
      pauseMs: PAUSE_MIN_MS,
    }));
  }

  append(batch: SizedBatch): Promise<CommitOutcome> {
    const settled = this.#lanes[batch.partition]!.queue.add(batch);
    this.#unsettled.add(settled);
    void settled.then(() => this.#unsettled.delete(settled));
    this.#schedule();
    return settled;
  }

  /** When every append is settled; there may be no more. */
  async close(): Promise<void> {
    await Promise.all(this.#unsettled);
    this.#isClosed = true;
    this.#link?.close();
  }

  /** After the input that is already there: appends of one turn share the request. */
  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#sendWaiting();
    });
  }

  async #sendWaiting(): Promise<void> {
    const shipments = this.#takeShipments();
    if (shipments.length === 0) return;
    const link = (this.#link ??= this.options.open());
    try {
      const led = await link.leaders(shipments.map(({ lane }) => lane.partition));
      for (const partitions of led) {
        const together = shipments.filter(({ lane }) => partitions.includes(lane.partition));
        void this.#send(link, together);
      }
    } catch (error) {
      this.#failed(link, { shipments, error });
    }
  }

  async #send(link: KafkaLink, shipments: readonly Shipment[]): Promise<void> {
    const { compression, telemetry } = this.options;
    const stopTimer = telemetry.commitSeconds.startTimer();
    try {
      const records = new Map(shipments.map(({ lane, appends }) => [lane.partition, appends.map(recordOf)]));
      const offsets = await link.produce({ records, compression });
      stopTimer();
      // kafkajs leaves out a partition that it does not know, without a word.
      const lacking = shipments.filter(({ lane }) => !offsets.has(lane.partition));
      if (lacking.length > 0) {
        const error = new Error('Kafka answered for fewer partitions than it was asked');
        this.#failed(link, { shipments: lacking, error });
      }
      for (const [partition, offset] of offsets) {
        const shipment = shipments.find(({ lane }) => lane.partition === partition);
        if (shipment) acknowledge(shipment, offset);
      }
      this.#schedule();
    } catch (error) {
      this.#failed(link, { shipments, error });
    }
  }

  #failed(link: KafkaLink, { shipments, error }: { shipments: readonly Shipment[]; error: unknown }): void {
    link.retire();
    if (this.#link === link) this.#link = undefined;
    this.options.onFailure(error);
    for (const { lane } of shipments) {
      setTimeout(() => {
        lane.isBusy = false;
        this.#schedule();
      }, lane.pauseMs);
      lane.pauseMs = Math.min(lane.pauseMs * 2, PAUSE_MAX_MS);
    }
  }

  #takeShipments(): Shipment[] {
    const shipments: Shipment[] = [];
    let bytes = 0;
    for (const lane of this.#lanes) {
      if (lane.isBusy) continue;
      if (bytes >= REQUEST_BYTES_MAX) {
        this.#schedule();
        break;
      }
      const appends = lane.queue.next();
      if (appends.length === 0) continue;
      lane.isBusy = true;
      for (const append of appends) bytes += append.bytes;
      shipments.push({ lane, appends });
    }
    return shipments;
  }
}

function acknowledge({ lane, appends }: Shipment, offset: number): void {
  for (const [index, append] of appends.entries()) {
    append.settle({ outcome: 'appended', position: String(offset + index) });
  }
  lane.pauseMs = PAUSE_MIN_MS;
  lane.isBusy = false;
}

function recordOf(append: Outgoing): OutgoingRecord {
  append.record ??= encodeRecord(append);
  return append.record;
}

/** The stamp is the record's timestamp too, by which Kafka finds it: never before an event's receipt. */
function encodeRecord({ events, bytes }: SizedBatch): OutgoingRecord {
  const stamp = stampOf(events);
  return { value: encodeBatch(events, stamp, Buffer.allocUnsafe(bytes)), timestamp: String(stamp) };
}
