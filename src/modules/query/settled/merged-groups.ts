// Puts days together to the groups of an answer: settled ones that PostgreSQL has added up already, and
// figures of days that are not. What a session counts on the day before is left out of the later day, but for
// the first day of a group.
import { type Counters, NO_COUNTERS } from '../vocabulary/counters.js';
import { type DayFigures, OF_EVENTS, OF_SESSIONS, type OfSessions } from './day-figures.js';

export interface MergedGroup {
  readonly bucket: number;
  /** Empty without a dimension. */
  readonly value: string;
  counters: Counters;
  /** Of the days: there are at least so many visitors, */
  mostVisitors: number;
  /** and at most so many. */
  sumOfVisitors: number;
  /** Visitors of days that are not settled. */
  readonly ids: Buffer[];
}

export class MergedGroups {
  readonly #groups = new Map<string, MergedGroup>();

  get all(): readonly MergedGroup[] {
    return [...this.#groups.values()];
  }

  at(bucket: number, value: string): MergedGroup {
    const key = `${bucket} ${value}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { bucket, value, counters: NO_COUNTERS, mostVisitors: 0, sumOfVisitors: 0, ids: [] };
    this.#groups.set(key, group);
    return group;
  }

  /** `continued`: none for the first day of a bucket. */
  addDay(bucket: number, { value, counters, ids }: DayFigures, continued: OfSessions | undefined): void {
    const group = this.at(bucket, value);
    group.counters = added(group.counters, counters, continued);
    this.addVisitors(group, { sum: counters.visitors, most: counters.visitors });
    if (ids.length > 0) group.ids.push(ids);
  }

  addVisitors(group: MergedGroup, { sum, most }: { readonly sum: number; readonly most: number }): void {
    group.sumOfVisitors += sum;
    group.mostVisitors = Math.max(group.mostVisitors, most);
  }
}

export function added(to: Counters, more: Counters, continued?: OfSessions): Counters {
  const sums = [...OF_EVENTS, ...OF_SESSIONS].map((counter) => [counter, to[counter] + more[counter]]);
  const both = { ...to, ...(Object.fromEntries(sums) as Partial<Counters>) };
  const once = OF_SESSIONS.map((counter) => [counter, both[counter] - (continued?.[counter] ?? 0)]);
  return {
    ...both,
    ...(Object.fromEntries(once) as Partial<Counters>),
    revenueMicros: to.revenueMicros + more.revenueMicros,
    firstCurrency: first(to.firstCurrency, more.firstCurrency, (a, b) => a < b),
    lastCurrency: first(to.lastCurrency, more.lastCurrency, (a, b) => a > b),
  };
}

function first(a: string | null, b: string | null, before: (a: string, b: string) => boolean): string | null {
  if (a === null || b === null) return a ?? b;
  return before(a, b) ? a : b;
}
