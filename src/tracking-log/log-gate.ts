// Before every driver, and before the spool: what is a mistake of the caller, what a closed log still
// does, how large a batch may be; and behind them, what is counted of appends.
import { encodedBytes, type EncodedEvent } from './batch-codec.js';
import {
  BATCH_BYTES_MAX,
  type CommitOutcome,
  InvalidAppendError,
  type Partition,
  TOO_LARGE,
  TrackingLogClosedError,
  UNAVAILABLE,
} from './tracking-log.js';
import type { TrackingLogTelemetry } from './tracking-log.telemetry.js';

/** Neither empty nor too large, and of a partition that exists. */
export interface SizedBatch {
  readonly partition: Partition;
  readonly events: readonly EncodedEvent[];
  readonly bytes: number;
}

export class LogGate {
  readonly #closing = new AbortController();

  constructor(
    private readonly partitions: number,
    private readonly telemetry: TrackingLogTelemetry,
  ) {}

  /** Aborted by `close`. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Later appends are refused, and nothing more can be read. */
  close(): void {
    this.#closing.abort();
  }

  /** @throws InvalidAppendError, TrackingLogClosedError */
  mustRead(partition: Partition): void {
    const invalid = this.#unlessThereIs(partition);
    if (invalid) throw invalid;
    if (this.closing.aborted) throw new TrackingLogClosedError();
  }

  /**
   * Rejects with InvalidAppendError.
   * @param put called at once or not at all
   */
  append(
    partition: Partition,
    events: readonly EncodedEvent[],
    put: (batch: SizedBatch) => Promise<CommitOutcome>,
  ): Promise<CommitOutcome> {
    const invalid = this.#unlessThereIs(partition);
    if (invalid) return Promise.reject(invalid);
    if (events.length === 0) return Promise.reject(new InvalidAppendError('A batch cannot be empty'));
    const batch = { partition, events, bytes: encodedBytes(events) };
    const refusal = this.#refusal(batch.bytes);
    if (refusal) return Promise.resolve(this.#counted(refusal, batch));
    return put(batch).then((outcome) => this.#counted(outcome, batch));
  }

  #counted(outcome: CommitOutcome, { events, bytes }: SizedBatch): CommitOutcome {
    if (outcome.outcome === 'refused') {
      this.telemetry.refusedBatches.inc({ reason: outcome.reason });
      return outcome;
    }
    this.telemetry.appendedBatches.inc();
    this.telemetry.appendedEvents.inc(events.length);
    this.telemetry.appendedBytes.inc(bytes);
    return outcome;
  }

  #refusal(bytes: number): CommitOutcome | undefined {
    if (this.closing.aborted) return UNAVAILABLE;
    return bytes > BATCH_BYTES_MAX ? TOO_LARGE : undefined;
  }

  #unlessThereIs(partition: Partition): InvalidAppendError | undefined {
    if (Number.isInteger(partition) && partition >= 0 && partition < this.partitions) return undefined;
    return new InvalidAppendError(`There is no partition ${partition}: the log has ${this.partitions}`);
  }
}
