// A run of batches becomes a flush: every event joins its visitor's sessions, and what the changed
// sessions say is gathered. Writes nothing and waits only for what memory has forgotten.
import type { Partition } from '../../tracking-log/tracking-log.js';
import { Breathing } from './breathing.js';
import type { DeadLetter } from './dead-letters/dead-letter.js';
import { Flush } from './flush.js';
import type { InterpretedBatch } from './interpreted-batches.js';
import type { Projection } from './projection.js';
import type { Timelines } from './timelines.js';

export interface Folded {
  readonly flush: Flush;
  readonly deadLetters: readonly DeadLetter[];
  readonly events: number;
  /** Of the events together. */
  readonly weight: number;
  readonly sessions: number;
  /** Of all events of the visitors that were touched: what has to stay in memory until the commit. */
  readonly touchedWeight: number;
}

export interface FoldOptions {
  readonly partition: Partition;
  /** Number of the run, ascending. */
  readonly run: number;
  readonly projections: readonly Projection[];
  readonly timelines: Timelines;
}

export async function fold(batches: readonly InterpretedBatch[], options: FoldOptions): Promise<Folded> {
  const { partition, run, projections, timelines } = options;
  const breathing = new Breathing();
  const flush = new Flush(projections, partition);
  let sessions = 0;
  let touchedWeight = 0;
  for (const visit of await timelines.prepare(batches.flatMap(({ arrivals }) => arrivals))) {
    const change = timelines.change(visit, run);
    flush.add(change);
    sessions += change.after.length;
    for (const { pieces } of change.timelines) {
      for (const piece of pieces) touchedWeight += piece.weight;
    }
    if (breathing.needed()) await breathing.breathe();
  }
  return {
    flush,
    sessions,
    touchedWeight,
    deadLetters: batches.flatMap(({ deadLetters }) => deadLetters),
    events: batches.reduce((sum, batch) => sum + batch.events, 0),
    weight: batches.reduce((sum, batch) => sum + batch.weight, 0),
  };
}
