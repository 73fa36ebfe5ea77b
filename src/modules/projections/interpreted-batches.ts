// The log's batches as they are read, each event interpreted at once: what was received is garbage
// before a run is complete, which halves what the run keeps in memory. An event that cannot be
// interpreted becomes a dead letter and stops nothing; so does a batch of a newer version.
import type { Partition, Position, RecordedBatch, UnknownBatch } from '../../tracking-log/tracking-log.js';
import type { DeadLetter } from './dead-letters/dead-letter.js';
import type { Interpret } from './interpret/interpret.js';
import type { Projection } from './projection.js';
import type { Arrival } from './timelines.js';
import { weightOf } from './visit-event.js';

export interface InterpretedBatch {
  readonly position: Position;
  readonly appendedAt: number;
  /** Those that were left out not counted. */
  readonly events: number;
  /** Of the events together. */
  readonly weight: number;
  readonly arrivals: readonly Arrival[];
  readonly deadLetters: readonly DeadLetter[];
}

/** The sites that have been deleted by now: there are more of them as time goes. */
export type DeletedSiteIds = Pick<ReadonlySet<string>, 'has'>;

export interface InterpretOptions {
  readonly partition: Partition;
  readonly projections: readonly Projection[];
  readonly interpret: Interpret;
  /** Events of other sites are left out; null: of none. */
  readonly sites: ReadonlySet<string> | null;
  /** Sites whose events are left out, whatever the log still holds. */
  readonly deleted: DeletedSiteIds;
  /** By place in the batch: events known to be unfit for the read models, and why. */
  readonly poison?: ReadonlyMap<number, string>;
}

export async function* interpretBatches(
  batches: AsyncIterable<RecordedBatch>,
  options: InterpretOptions,
): AsyncGenerator<InterpretedBatch> {
  for await (const batch of batches) yield interpretBatch(batch, options);
}

export function interpretBatch(batch: RecordedBatch, options: InterpretOptions): InterpretedBatch {
  const { position, appendedAt, events, unknown } = batch;
  const { partition, projections, interpret, sites, deleted, poison } = options;
  const { name: projection, version } = projections[0]!;
  const place = { projection, version, partition, position };
  if (unknown !== undefined) {
    const letter: DeadLetter = { kind: 'batch', ...place, unknown, error: reasonOf(unknown) };
    const { events: count } = unknown;
    return { position, appendedAt, events: count, weight: count, arrivals: [], deadLetters: [letter] };
  }
  const arrivals: Arrival[] = [];
  const deadLetters: DeadLetter[] = [];
  let weight = 0;
  let inScope = 0;
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!;
    if ((sites !== null && !sites.has(event.site)) || deleted.has(event.site)) continue;
    inScope++;
    try {
      const reason = poison?.get(index);
      if (reason !== undefined) throw new Error(reason);
      const interpreted = interpret(event);
      arrivals.push({ site: event.site, event: interpreted, visitorGiven: event.visitorGiven ?? false });
      weight += weightOf(interpreted);
    } catch (error) {
      weight++;
      deadLetters.push({ kind: 'event', ...place, index, event, error: (error as Error).message });
    }
  }
  return { position, appendedAt, events: inScope, weight, arrivals, deadLetters };
}

const reasonOf = ({ schema, events }: UnknownBatch): string =>
  `A newer version wrote these ${events} events, in schema ${schema}, which this one cannot read. ` +
  'Replay them when that version runs everywhere.';
