// What a rebuild of some sites, or of some of their days, is about: which events it needs, which rows are
// its own to write, and which hours of counters it counts anew. Pure. What is neither written nor counted
// anew is copied from the version that answers.
import { decodeSlice, type EventSlice } from '../../../tracking-log/batch-slices.js';
import type { CountersProjection, Projection, RowsProjection } from '../projection.js';
import { SESSION_DURATION_MAX_MS } from '../read-models/sessions.read-model.js';
import { SESSION_GAP_MS } from '../sessionizer.js';

const HOUR_MS = 3_600_000;
/** A repeat may say a time so much later than the event that it repeats, which then counts in its place. */
const REPEAT_AFTER_MAX_MS = 24 * HOUR_MS;
/** Of one session the first and the last event, and what keeps the next one apart from it. */
const SESSION_REACH_MS = SESSION_DURATION_MAX_MS + 2 * SESSION_GAP_MS;

/** Epoch ms from `from` up to but not including `to`; infinite where there is no bound. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** Days begin with the site's own midnight. */
export interface Ranges {
  readonly usual: Bounds;
  /** Of the sites that differ. */
  readonly bySite: ReadonlyMap<string, Bounds>;
}

export const boundsOf = ({ usual, bySite }: Ranges, site: string): Bounds => bySite.get(site) ?? usual;

export const isWithin = ({ from, to }: Bounds, time: number): boolean => time >= from && time < to;

export function mapRanges({ usual, bySite }: Ranges, map: (bounds: Bounds) => Bounds): Ranges {
  return {
    usual: map(usual),
    bySite: new Map(Array.from(bySite, ([site, bounds]) => [site, map(bounds)])),
  };
}

/** From the first that begins to the last that ends. */
export function spanOf({ usual, bySite }: Ranges): Bounds {
  let { from, to } = usual;
  for (const bounds of bySite.values()) {
    from = Math.min(from, bounds.from);
    to = Math.max(to, bounds.to);
  }
  return { from, to };
}

/** When the events happened that decide which sessions begin within the bounds. */
export const neededTimes = ({ from, to }: Bounds): Bounds => ({
  from: from - REPEAT_AFTER_MAX_MS,
  to: to + SESSION_REACH_MS,
});

/** The hours of which some part lies within the bounds. */
export const hoursWithin = ({ from, to }: Bounds): Bounds => ({
  from: Math.floor(from / HOUR_MS) * HOUR_MS,
  to: Math.ceil(to / HOUR_MS) * HOUR_MS,
});

/**
 * The hours that are counted anew: those within, and those that sessions which began within go on into.
 * @param lastEnds by site, when the last of those sessions ended, where one ended after the bounds
 */
export function countedHours(ranges: Ranges, lastEnds: ReadonlyMap<string, number>): Ranges {
  const { usual, bySite } = mapRanges(ranges, hoursWithin);
  const reaching = Array.from(lastEnds, ([site, endedAt]): [string, Bounds] => {
    const { from, to } = bySite.get(site) ?? usual;
    return [site, { from, to: Math.max(to, (Math.floor(endedAt / HOUR_MS) + 1) * HOUR_MS) }];
  });
  return { usual, bySite: new Map([...bySite, ...reaching]) };
}

export type IsWanted = (event: EventSlice) => boolean;

/** Which events are sorted; null: all. */
export function wantedEvents(
  { sites, deleted }: { readonly sites: readonly string[] | null; readonly deleted: readonly string[] },
  ranges: Ranges | null,
): IsWanted | null {
  const wanted = sites && new Set(sites);
  const unwanted = new Set(deleted);
  const isOfSite = ({ site }: EventSlice) => (wanted === null || wanted.has(site)) && !unwanted.has(site);
  if (ranges === null) return wanted === null && unwanted.size === 0 ? null : isOfSite;
  const needed = mapRanges(ranges, neededTimes);
  return (event) => isOfSite(event) && isWithin(boundsOf(needed, event.site), decodeSlice(event).occurredAt);
}

/** By which a row is within bounds or not. */
export function timeColumnOf({ name, primaryKey, columns }: Projection): string {
  const column = primaryKey.find((key) => columns[key] === 'timestamptz');
  if (column === undefined) throw new Error(`Projection ${name} has no time in its key`);
  return column;
}

/** The projections that write rows, writing only those within the bounds and deleting none. */
export function rowsWithin(projections: readonly Projection[], ranges: Ranges): readonly RowsProjection[] {
  return projections
    .filter((projection) => projection.kind === 'rows')
    .map((projection) => {
      const names = Object.keys(projection.columns);
      const site = names.indexOf('site');
      const time = names.indexOf(timeColumnOf(projection));
      return {
        ...projection,
        rows: (session, partition) =>
          projection
            .rows(session, partition)
            .filter((row) => isWithin(boundsOf(ranges, row[site] as string), row[time] as number)),
        keys: () => [],
      };
    });
}

/** The projections that count, counting only in these hours. */
export function countersWithin(
  projections: readonly Projection[],
  hours: Ranges,
): readonly CountersProjection[] {
  return projections
    .filter((projection) => projection.kind === 'counters')
    .map((projection) => {
      const hour = projection.primaryKey.indexOf(timeColumnOf(projection));
      return {
        ...projection,
        contributions: (session) =>
          projection
            .contributions(session)
            .filter(({ key }) => isWithin(boundsOf(hours, session.site), key[hour] as number)),
      };
    });
}
