// All events of a bucket become a flush, by the same functions by which events are folded live, only
// that every visitor's events are there at once: nothing is read back, and every row is written once.
// They are decoded visitor by visitor, so that of what is made of them next to nothing lives for long.
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { decodeSlice, type EventSlice } from '../../../tracking-log/batch-slices.js';
import { Breathing } from '../breathing.js';
import { Flush } from '../flush.js';
import { eventKey } from '../interpret/event-key.js';
import type { Interpret } from '../interpret/interpret.js';
import type { Projection } from '../projection.js';
import { addEvents, type Timeline } from '../sessionizer.js';
import type { VisitEvent } from '../visit-event.js';
import type { Link } from './bucket-file.js';
import { type Edge, identityOf } from './edge.js';
import { LinkedVisitors } from './linked-visitors.js';

/** An event that cannot be interpreted: a rebuild does not pass it over. */
export class PoisonEventError extends Error {
  override readonly name = 'PoisonEventError';
  constructor(
    readonly event: TrackedEvent,
    cause: unknown,
  ) {
    super(
      `Event ${event.id} of site ${event.site} cannot be interpreted: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

export interface AssembleOptions {
  readonly partition: number;
  readonly projections: readonly Projection[];
  readonly interpret: Interpret;
  /** Where some days are built; null: all. */
  readonly edge: Edge | null;
}

export interface Assembled {
  readonly flush: Flush;
  readonly events: number;
}

interface Visitor {
  readonly site: string;
  readonly slices: EventSlice[];
}

/**
 * @param batches every event of every visitor in them, and of every id that is linked to one of those
 * @throws PoisonEventError
 */
export async function assemble(
  batches: AsyncIterable<readonly EventSlice[]>,
  { partition, projections, interpret, edge }: AssembleOptions,
): Promise<Assembled> {
  const breathing = new Breathing();
  const visitors = new Map<string, Visitor>();
  const links: Link[] = [...(edge?.links ?? [])];
  const firstReceipts = new FirstReceipts();
  let events = 0;
  for await (const batch of batches) {
    for (const slice of batch) {
      if (edge !== null && firstReceipts.noteIfBefore(edge, decodeSlice(slice))) continue;
      const { site, visitor, previousVisitor } = slice;
      const known = visitors.get(visitor);
      if (known === undefined) visitors.set(visitor, { site, slices: [slice] });
      else known.slices.push(slice);
      if (previousVisitor !== undefined) links.push([visitor, previousVisitor]);
    }
    events += batch.length;
    if (breathing.needed()) await breathing.breathe();
  }
  if (edge !== null) addKnown(visitors, links, edge);
  const flush = new Flush(projections, partition);
  const fold = (timelines: readonly Timeline[], slices: readonly EventSlice[]): void => {
    const own = slices.map((slice) => interpreted(decodeSlice(slice), interpret));
    if (edge === null) flush.add(addEvents(timelines, own));
    else for (const change of edge.fold(timelines, firstReceipts.of(own))) flush.add(change);
  };
  const linked = new LinkedVisitors(links);
  for (const [visitor, { site, slices }] of visitors) {
    if (linked.has(visitor)) continue;
    fold([timelineOf(site, visitor)], slices);
    if (breathing.needed()) await breathing.breathe();
  }
  for (const group of linked.groups([...visitors.keys()].filter((visitor) => linked.has(visitor)))) {
    const members = group.map((visitor) => visitors.get(visitor)!);
    const timelines = group.map((visitor, index) => timelineOf(members[index]!.site, visitor));
    fold(
      timelines,
      members.flatMap(({ slices }) => slices),
    );
  }
  return { flush, events };
}

/** Those that are linked to others and have events only from before. */
function addKnown(visitors: Map<string, Visitor>, links: readonly Link[], edge: Edge): void {
  for (const visitor of links.flat()) {
    const site = edge.siteOf(visitor);
    if (site !== undefined && !visitors.has(visitor)) visitors.set(visitor, { site, slices: [] });
  }
}

/** When events from before were received: what repeats one of them later is no event of its own. */
class FirstReceipts {
  readonly #receivedAt = new Map<string, number>();

  /** Whether it was from before. */
  noteIfBefore(edge: Edge, event: TrackedEvent): boolean {
    if (!edge.isBefore(event)) return false;
    const { visitor, id, receivedAt } = event;
    const identity = identityOf({ visitor, key: eventKey(id) });
    this.#receivedAt.set(identity, Math.min(receivedAt, this.#receivedAt.get(identity) ?? receivedAt));
    return true;
  }

  /** Those of the events that were received before any event from before that they would repeat. */
  of(events: readonly VisitEvent[]): readonly VisitEvent[] {
    if (this.#receivedAt.size === 0) return events;
    return events.filter(
      (event) => event.receivedAt < (this.#receivedAt.get(identityOf(event)) ?? Number.POSITIVE_INFINITY),
    );
  }
}

function interpreted(event: TrackedEvent, interpret: Interpret): VisitEvent {
  try {
    return interpret(event);
  } catch (error) {
    throw new PoisonEventError(event, error);
  }
}

const timelineOf = (site: string, visitor: string): Timeline => ({ site, visitor, pieces: [], sessions: [] });
