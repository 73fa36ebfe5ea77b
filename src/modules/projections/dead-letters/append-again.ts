// Events that were in the log before, into the log again: all of them durable, or an error. In pieces
// where one batch would be too large: in today's shape they may be larger than as they were written.
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { type EncodedEvent, encodeEvent } from '../../../tracking-log/batch-codec.js';
import type { Partition, RefusalReason, TrackingLog } from '../../../tracking-log/tracking-log.js';

export class BatchRefusedError extends Error {
  override readonly name = 'BatchRefusedError';
  constructor(readonly reason: RefusalReason) {
    super(`The tracking log refused the events: ${reason}`);
  }
}

/** @throws BatchRefusedError: some may have been appended */
export async function appendAgain(
  log: TrackingLog,
  partition: Partition,
  events: readonly TrackedEvent[],
): Promise<void> {
  await append(log, partition, events.map(encodeEvent));
}

async function append(
  log: TrackingLog,
  partition: Partition,
  events: readonly EncodedEvent[],
): Promise<void> {
  const outcome = await log.appendEncoded(partition, events);
  if (outcome.outcome !== 'refused') return;
  if (outcome.reason !== 'batch-too-large' || events.length === 1)
    throw new BatchRefusedError(outcome.reason);
  const middle = Math.ceil(events.length / 2);
  await append(log, partition, events.slice(0, middle));
  await append(log, partition, events.slice(middle));
}
