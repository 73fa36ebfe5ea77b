// The log's batches as they are read, each event interpreted at once: what was received is garbage
// before a run is complete, which halves what the run keeps in memory. An event that cannot be
// interpreted becomes a dead letter and stops nothing.
import type { Partition, Position, RecordedBatch } from '../../tracking-log/tracking-log.js';
import type { DeadLetter } from './dead-letters.js';
import type { Interpret } from './interpret/interpret.js';
import type { Projection } from './projection.js';
import type { Arrival } from './timelines.js';

export interface InterpretedBatch {
  readonly position: Position;
  readonly appendedAt: number;
  readonly events: number;
  readonly arrivals: readonly Arrival[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface InterpretOptions {
  readonly partition: Partition;
  readonly projections: readonly Projection[];
  readonly interpret: Interpret;
  /** By place in the batch: events known to be unfit for the read models, and why. */
  readonly poison?: ReadonlyMap<number, string>;
}

export async function* interpretBatches(
  batches: AsyncIterable<RecordedBatch>,
  options: InterpretOptions,
): AsyncGenerator<InterpretedBatch> {
  for await (const batch of batches) yield interpretBatch(batch, options);
}

export function interpretBatch(
  { position, appendedAt, events }: RecordedBatch,
  { partition, projections, interpret, poison }: InterpretOptions,
): InterpretedBatch {
  const { name, version } = projections[0]!;
  const arrivals: Arrival[] = [];
  const deadLetters: DeadLetter[] = [];
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!;
    try {
      const reason = poison?.get(index);
      if (reason !== undefined) throw new Error(reason);
      arrivals.push({ site: event.site, event: interpret(event), visitorGiven: event.visitorGiven ?? false });
    } catch (error) {
      const reason = (error as Error).message;
      deadLetters.push({ projection: name, version, partition, position, index, event, error: reason });
    }
  }
  return { position, appendedAt, events: events.length, arrivals, deadLetters };
}
