// A run of batches becomes a flush: interpret every event, add it to its visitor's sessions, and
// gather what the changed sessions say. Writes nothing and waits only for what memory has forgotten.
import type { Partition, RecordedBatch } from '../../tracking-log/tracking-log.js';
import { Breathing } from './breathing.js';
import type { DeadLetter } from './dead-letters.js';
import { Flush } from './flush.js';
import type { Interpret } from './interpret/interpret.js';
import type { Projection } from './projection.js';
import type { Arrival, Timelines } from './timelines.js';

export interface Folded {
  readonly flush: Flush;
  readonly deadLetters: readonly DeadLetter[];
  readonly events: number;
  readonly sessions: number;
}

export interface FoldOptions {
  readonly partition: Partition;
  /** Number of the run, ascending. */
  readonly run: number;
  readonly projections: readonly Projection[];
  readonly interpret: Interpret;
  readonly timelines: Timelines;
  /** Places within the run's only batch of events that cannot be folded. */
  readonly poison?: ReadonlyMap<number, string>;
}

export async function fold(batches: readonly RecordedBatch[], options: FoldOptions): Promise<Folded> {
  const breathing = new Breathing();
  const arrivals: Arrival[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const batch of batches) {
    interpretBatch(batch, { options, arrivals, deadLetters });
    if (breathing.needed()) await breathing.breathe();
  }
  const flush = new Flush(options.projections, options.partition);
  let sessions = 0;
  for (const visit of await options.timelines.prepare(arrivals)) {
    const change = options.timelines.change(visit, options.run);
    flush.add(change);
    sessions += change.after.length;
    if (breathing.needed()) await breathing.breathe();
  }
  return { flush, deadLetters, sessions, events: arrivals.length + deadLetters.length };
}

function interpretBatch(
  { position, events }: RecordedBatch,
  {
    options,
    arrivals,
    deadLetters,
  }: { options: FoldOptions; arrivals: Arrival[]; deadLetters: DeadLetter[] },
): void {
  const { interpret, poison, partition } = options;
  const { name, version } = options.projections[0]!;
  for (const [index, event] of events.entries()) {
    try {
      const refused = poison?.get(index);
      if (refused !== undefined) throw new Error(refused);
      arrivals.push({ site: event.site, event: interpret(event), visitorGiven: event.visitorGiven ?? false });
    } catch (error) {
      const reason = (error as Error).message;
      deadLetters.push({ projection: name, version, partition, position, index, event, error: reason });
    }
  }
}
