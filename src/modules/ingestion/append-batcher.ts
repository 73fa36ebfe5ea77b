// From concurrent requests to durable batches. Per partition one append is under way at a time and
// what arrives meanwhile forms the next batch: group commit. What comes to an idle log waits for
// nothing; under load appends keep a short distance, because a durable write costs as much as many
// events. A request is settled only after every append that holds one of its events is durable;
// memory is bounded by bytes.
import { failpoint } from '../../telemetry/failpoint.js';
import type { EncodedEvent } from '../../tracking-log/batch-codec.js';
import type {
  AppendOutcome,
  Partition,
  RefusalReason,
  TrackingLog,
} from '../../tracking-log/tracking-log.js';
import type { IngestionTelemetry, UnavailableReason } from './ingestion.telemetry.js';

const BATCH_BYTES_MAX = 262_144;
const BATCH_EVENTS_MAX = 1_000;
/** From the beginning of one append to the next, unless a full batch waits. */
const APPEND_DISTANCE_MS = 5;

export interface Part {
  readonly partition: Partition;
  readonly events: readonly EncodedEvent[];
}

export type SubmitOutcome =
  | { readonly outcome: 'appended' }
  /** Turned away whole; or refused by the log, and then other parts may be durable. */
  | { readonly outcome: 'refused'; readonly reason: UnavailableReason };

interface Waiting {
  readonly events: readonly EncodedEvent[];
  readonly bytes: number;
  readonly settle: (outcome: SubmitOutcome) => void;
}

interface Queue {
  readonly partition: Partition;
  waiting: Waiting[];
  waitingEvents: number;
  waitingBytes: number;
  busy: boolean;
  appendedAt: number;
}

const APPENDED: SubmitOutcome = { outcome: 'appended' };

const OVERLOADED: Promise<SubmitOutcome> = Promise.resolve({ outcome: 'refused', reason: 'overloaded' });

const REFUSED = {
  'batch-too-large': { outcome: 'refused', reason: 'batch_too_large' },
  'log-full': { outcome: 'refused', reason: 'log_full' },
  'log-unavailable': { outcome: 'refused', reason: 'log_unavailable' },
} as const satisfies Record<RefusalReason, SubmitOutcome>;

export class AppendBatcher {
  private readonly queues: readonly Queue[];
  private queuedBytes = 0;
  private idle: (() => void) | undefined;

  constructor(
    private readonly log: TrackingLog,
    private readonly telemetry: IngestionTelemetry,
    private readonly queueBytesMax: number,
  ) {
    this.queues = Array.from({ length: log.partitions }, (_, partition) => ({
      partition,
      waiting: [],
      waitingEvents: 0,
      waitingBytes: 0,
      busy: false,
      appendedAt: 0,
    }));
    telemetry.watchQueue(() => this.queuedBytes);
  }

  /** All parts are taken in or none. Settles when every event is durable or something was refused. */
  submit(parts: readonly Part[]): Promise<SubmitOutcome> {
    const entries =
      parts.length === 1 && parts[0]!.events.length === 1 ? [whole(parts[0]!)] : parts.flatMap(cut);
    let bytes = 0;
    for (const entry of entries) bytes += entry.bytes;
    if (this.queuedBytes + bytes > this.queueBytesMax) return OVERLOADED;
    this.queuedBytes += bytes;
    if (entries.length === 1) return this.enqueue(entries[0]!);
    return Promise.all(entries.map((entry) => this.enqueue(entry))).then(
      (outcomes) => outcomes.find(({ outcome }) => outcome !== 'appended') ?? APPENDED,
    );
  }

  /** Settles once everything taken in is settled. */
  async drain(): Promise<void> {
    if (this.queues.every(({ busy }) => !busy)) return;
    await new Promise<void>((resolve) => (this.idle = resolve));
  }

  private enqueue({ partition, events, bytes }: Entry): Promise<SubmitOutcome> {
    const queue = this.queues[partition]!;
    return new Promise((settle) => {
      queue.waiting.push({ events, bytes, settle });
      queue.waitingEvents += events.length;
      queue.waitingBytes += bytes;
      if (queue.busy) return;
      queue.busy = true;
      this.schedule(queue);
    });
  }

  private schedule(queue: Queue): void {
    const full = queue.waitingEvents >= BATCH_EVENTS_MAX || queue.waitingBytes >= BATCH_BYTES_MAX;
    const restMs = full ? 0 : queue.appendedAt + APPEND_DISTANCE_MS - performance.now();
    if (restMs > 0) setTimeout(() => void this.work(queue), restMs);
    // After the input that is already there: requests of one turn share the batch.
    else setImmediate(() => void this.work(queue));
  }

  private async work(queue: Queue): Promise<void> {
    const taken = takeBatch(queue);
    queue.appendedAt = performance.now();
    const outcome = await this.append(queue.partition, taken);
    for (const { bytes, settle } of taken) {
      this.queuedBytes -= bytes;
      settle(outcome);
    }
    if (queue.waiting.length > 0) {
      this.schedule(queue);
      return;
    }
    queue.busy = false;
    if (this.idle && this.queues.every(({ busy }) => !busy)) this.idle();
  }

  private async append(partition: Partition, taken: readonly Waiting[]): Promise<SubmitOutcome> {
    const batch = taken.length === 1 ? taken[0]!.events : taken.flatMap(({ events }) => events);
    const startedAt = performance.now();
    let outcome: AppendOutcome;
    try {
      failpoint('intake.before-append');
      outcome = await this.log.appendEncoded(partition, batch);
      failpoint('intake.after-append');
    } catch (error) {
      this.telemetry.appendFailed(error, partition);
      outcome = { outcome: 'refused', reason: 'log-unavailable' };
    }
    this.telemetry.appended({ seconds: (performance.now() - startedAt) / 1000, events: batch.length });
    return outcome.outcome === 'refused' ? REFUSED[outcome.reason] : APPENDED;
  }
}

/** What waits, up to the size of a batch; at least one entry. */
function takeBatch(queue: Queue): readonly Waiting[] {
  const { waiting } = queue;
  let events = 0;
  let bytes = 0;
  let count = 0;
  for (const entry of waiting) {
    const full = events + entry.events.length > BATCH_EVENTS_MAX || bytes + entry.bytes > BATCH_BYTES_MAX;
    if (full && count > 0) break;
    events += entry.events.length;
    bytes += entry.bytes;
    count++;
  }
  queue.waiting = waiting.slice(count);
  queue.waitingEvents -= events;
  queue.waitingBytes -= bytes;
  return count === waiting.length ? waiting : waiting.slice(0, count);
}

interface Entry extends Part {
  readonly bytes: number;
}

const whole = ({ partition, events }: Part): Entry => ({ partition, events, bytes: events[0]!.bytes });

/** A part larger than a batch becomes several entries. */
function cut({ partition, events }: Part): Entry[] {
  const entries: Entry[] = [];
  let current: EncodedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (
      current.length > 0 &&
      (current.length === BATCH_EVENTS_MAX || bytes + event.bytes > BATCH_BYTES_MAX)
    ) {
      entries.push({ partition, events: current, bytes });
      current = [];
      bytes = 0;
    }
    current.push(event);
    bytes += event.bytes;
  }
  entries.push({ partition, events: current, bytes });
  return entries;
}
