// Where a rebuild of some days begins, sessions go on that began before and are copied as they are. They are
// read back from the copies, and the events of the days are folded onto them as the live path folds what comes
// later: what belongs to a copied session goes to no other, and what follows it begins where it ended.
import type { Pool } from 'pg';
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { SESSION_DURATION_MAX_MS } from '../read-models/sessions.read-model.js';
import {
  eventsOf,
  inOrder,
  type ReadEvent,
  SESSION_COLUMNS,
  type SessionRow,
  type SessionTables,
} from '../session-reader.js';
import { addEvents, type Change, restoreTimelines, SESSION_GAP_MS, type Timeline } from '../sessionizer.js';
import type { VisitEvent } from '../visit-event.js';
import { boundsSql, sqlTime } from './bounds-sql.js';
import { boundsOf, mapRanges, type Ranges, spanOf } from './build-scope.js';
import type { Link } from './bucket-file.js';

interface Known {
  readonly site: string;
  readonly events: VisitEvent[];
}

export interface EdgeOptions {
  readonly partition: number;
  /** What has been copied is in these. */
  readonly tables: SessionTables;
  readonly ranges: Ranges;
}

export class Edge {
  private constructor(
    readonly ranges: Ranges,
    private readonly known: ReadonlyMap<string, Known>,
    /** Of visitors who are known from before. */
    readonly links: readonly Link[],
  ) {}

  static async read(pool: Pool, options: EdgeOptions): Promise<Edge> {
    const known = new Map<string, Known>();
    const links: Link[] = [];
    for (const { site, event } of await eventsBefore(pool, options)) {
      const { visitor, previousVisitor } = event;
      const of = known.get(visitor);
      if (of === undefined) known.set(visitor, { site, events: [event] });
      else of.events.push(event);
      if (previousVisitor !== null) links.push([visitor, previousVisitor]);
    }
    return new Edge(options.ranges, known, links);
  }

  isBefore({ site, occurredAt }: Pick<TrackedEvent, 'site' | 'occurredAt'>): boolean {
    return occurredAt < boundsOf(this.ranges, site).from;
  }

  siteOf(visitor: string): string | undefined {
    return this.known.get(visitor)?.site;
  }

  /**
   * @param timelines of a closed group of visitor ids, without events
   * @param events none from before
   */
  fold(timelines: readonly Timeline[], events: readonly VisitEvent[]): readonly Change[] {
    if (!timelines.some(({ visitor }) => this.known.has(visitor))) return [addEvents(timelines, events)];
    const { site } = timelines[0]!;
    const before = new Map(timelines.map(({ visitor }) => [visitor, this.known.get(visitor)?.events ?? []]));
    const change = addEvents(restoreTimelines(site, before), events);
    const left = this.#leftOver(change, before);
    return left.length === 0 ? [change] : [change, addEvents(timelines, left)];
  }

  /**
   * What would have gone on a copied session, had its version known of it: its row is not written again, so
   * that these begin a session of their own, lest they be in none.
   */
  #leftOver({ after }: Change, before: ReadonlyMap<string, readonly VisitEvent[]>): readonly VisitEvent[] {
    const copied = new Set([...before.values()].flat().map(identityOf));
    return after
      .filter(({ site, startedAt }) => startedAt < boundsOf(this.ranges, site).from)
      .flatMap(({ events }) => events.filter((event) => !copied.has(identityOf(event))));
  }
}

/** Events of one visitor with one key are one event. */
export const identityOf = ({ visitor, key }: Pick<VisitEvent, 'visitor' | 'key'>): string => visitor + key;

/** Of sessions that go on or could be gone on with, and whatever waits. */
async function eventsBefore(
  pool: Pool,
  { partition, tables, ranges }: EdgeOptions,
): Promise<readonly ReadEvent[]> {
  const edges = mapRanges(ranges, ({ from }) => ({ from: from - SESSION_DURATION_MAX_MS, to: from }));
  const { from, to } = spanOf(edges);
  if (to === Number.NEGATIVE_INFINITY) return [];
  const bounds = boundsSql(edges, 4);
  const values = [partition, sqlTime(from), sqlTime(to), ...bounds.values];
  const between = (time: string) => `partition = $1 AND ${time} >= $2 AND ${time} < $3
    AND ${time} >= ${bounds.low} AND ${time} < ${bounds.high}`;
  const sessions = await pool.query<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM ${tables.sessions} ${bounds.join} WHERE ${between('started_at')}
       AND started_at + (event_offsets[cardinality(event_offsets)] + ${SESSION_GAP_MS}) * interval '1 millisecond' >= ${bounds.high}`,
    values,
  );
  const waiting = await pool.query<ReadEvent>(
    `SELECT site, event FROM ${tables.waiting} ${bounds.join} WHERE ${between('at')}`,
    values,
  );
  return [
    ...sessions.rows.flatMap(eventsOf),
    ...waiting.rows.map(({ site, event }) => ({ site, event: inOrder(event) })),
  ];
}
