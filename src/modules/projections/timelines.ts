// The projector's memory of recent visitors, one per partition: bounded, filled from the read
// models when a visitor is not known (any more), emptied when a commit fails.
//
// A run's events go in; the sessions that changed come out. What is remembered is ahead of the
// database by at most the runs whose commit is under way, and only visitors without such runs are
// ever forgotten, so a visitor that is read back is read as it was left. Ids that are linked (one
// continues the other after the daily salt changed) are remembered and forgotten together.
import type { VisitEvent } from './visit-event.js';
import { SESSION_DURATION_MAX_MS } from './read-models/sessions.read-model.js';
import type { ReadVisitors } from './session-reader.js';
import { addEvents, type Change, restoreTimelines, SESSION_GAP_MS, type Timeline } from './sessionizer.js';

/** A session that an event may touch began at most this long before it. */
const REACH_MS = SESSION_DURATION_MAX_MS + 2 * SESSION_GAP_MS;
/** Read this much further back than needed, so that later events a little older find everything in memory. */
const MARGIN_MS = 24 * 3_600_000;
/** Reads are grouped by how far back they go, so that one very late event does not widen all others. */
const READ_GROUP_MS = 30 * 24 * 3_600_000;

export interface Arrival {
  readonly site: string;
  readonly event: VisitEvent;
  /** The id was given by a client and may be years old: repeats are looked for in all its sessions. */
  readonly visitorGiven: boolean;
}

/** What arrived for one visitor, or for several whose ids are linked. */
export interface Visit {
  readonly visitors: readonly string[];
  readonly events: readonly VisitEvent[];
}

export interface TimelinesOptions {
  readonly partition: number;
  /** Of the events and visitors kept in memory; exceeded only by what is not committed yet. */
  readonly weightMax: () => number;
  readonly read: ReadVisitors;
  /** Settles when every run handed over so far is committed. */
  readonly settled: () => Promise<void>;
}

interface Remembered {
  timeline: Timeline;
  /** Sessions that began before it have not been read. */
  readonly readFrom: number;
  /** Ids that follow or precede this one. Null for almost everybody. */
  linked: Set<string> | null;
  /** The last run that touched it. */
  run: number;
  /** That run when it was last passed over in the search for somebody to forget. */
  spared: number;
  weight: number;
}

interface Need {
  readonly site: string;
  readonly from: number;
}

export class Timelines {
  /** In order of arrival; see `forget`. */
  readonly #remembered = new Map<string, Remembered>();
  #weight = 0;

  constructor(private readonly options: TimelinesOptions) {}

  get weight(): number {
    return this.#weight;
  }

  /** Makes sure that everybody concerned is remembered, and sorts the arrivals by who is. */
  async prepare(arrivals: readonly Arrival[]): Promise<readonly Visit[]> {
    const byVisitor = new Map<string, VisitEvent[]>();
    const needs = new Map<string, Need>();
    for (const { site, event, visitorGiven } of arrivals) {
      append(byVisitor, event);
      const from = visitorGiven ? Number.NEGATIVE_INFINITY : event.at - REACH_MS;
      addNeed(needs, event.visitor, { site, from });
      if (event.previousVisitor !== null) addNeed(needs, event.previousVisitor, { site, from });
    }
    await this.#remember(needs);
    for (const { event } of arrivals) this.#link(event);
    const visits: Visit[] = [];
    const done = new Set<string>();
    for (const [visitor, events] of byVisitor) {
      if (done.has(visitor)) continue;
      const visitors = this.#groupOf(visitor);
      if (visitors.length === 1) {
        visits.push({ visitors, events });
        continue;
      }
      for (const member of visitors) done.add(member);
      visits.push({ visitors, events: visitors.flatMap((member) => byVisitor.get(member) ?? []) });
    }
    return visits;
  }

  /** @param run number of the run, ascending */
  change({ visitors, events }: Visit, run: number): Change {
    const change = addEvents(
      visitors.map((visitor) => this.#remembered.get(visitor)!.timeline),
      events,
    );
    for (const timeline of change.timelines) {
      const remembered = this.#remembered.get(timeline.visitor)!;
      const weight = weightOf(timeline);
      this.#weight += weight - remembered.weight;
      remembered.timeline = timeline;
      remembered.weight = weight;
      remembered.run = run;
    }
    return change;
  }

  /**
   * Forgets visitors until memory is within its bound, by second chance: who was used since it was
   * last looked at goes to the end of the queue. Cheaper than keeping order at every use.
   */
  forget(committedRun: number): void {
    const weightMax = this.options.weightMax();
    for (const [visitor, remembered] of this.#remembered) {
      if (this.#weight <= weightMax) return;
      // A group goes as a whole, so this one may have gone with an earlier one.
      if (!this.#remembered.has(visitor)) continue;
      if (remembered.run > committedRun) {
        // In order of arrival, more or less: the rest is not committed yet either.
        if (remembered.spared === remembered.run) return;
        this.#spare(visitor, remembered);
        continue;
      }
      if (remembered.spared < remembered.run) {
        this.#spare(visitor, remembered);
        continue;
      }
      const group = this.#groupOf(visitor);
      if (group.some((member) => this.#remembered.get(member)!.run > committedRun)) continue;
      for (const member of group) this.#drop(member);
    }
  }

  #spare(visitor: string, remembered: Remembered): void {
    remembered.spared = remembered.run;
    this.#remembered.delete(visitor);
    this.#remembered.set(visitor, remembered);
  }

  clear(): void {
    this.#remembered.clear();
    this.#weight = 0;
  }

  /** The visitor and all ids linked to it, directly or through others. */
  #groupOf(visitor: string): readonly string[] {
    if (this.#remembered.get(visitor)!.linked === null) return [visitor];
    const group = new Set([visitor]);
    for (const member of group)
      for (const other of this.#remembered.get(member)!.linked ?? []) group.add(other);
    return [...group];
  }

  #link({ visitor, previousVisitor }: VisitEvent): void {
    if (previousVisitor === null || previousVisitor === visitor) return;
    const own = this.#remembered.get(visitor);
    const previous = this.#remembered.get(previousVisitor);
    if (own === undefined || previous === undefined) return;
    (own.linked ??= new Set()).add(previousVisitor);
    (previous.linked ??= new Set()).add(visitor);
  }

  /** Reads what is needed and not in memory, and whatever ids that leads to. */
  async #remember(needs: Map<string, Need>): Promise<void> {
    await this.#forgetTooShort(needs);
    const found = new Map<string, Map<string, VisitEvent>>();
    for (;;) {
      const missing = [...needs].filter(([visitor]) => !this.#remembered.has(visitor) && !found.has(visitor));
      if (missing.length === 0) break;
      for (const [visitor] of missing) found.set(visitor, new Map());
      for (const { site, event } of await this.#read(missing)) {
        // An id may be met in several reads, and before or after its own.
        found.get(event.visitor)?.set(event.key, event);
        const from = event.at - REACH_MS;
        addNeed(needs, event.visitor, { site, from });
        if (event.previousVisitor !== null) addNeed(needs, event.previousVisitor, { site, from });
      }
    }
    this.#restore(found, needs);
  }

  /** Whoever is remembered, but not far enough back, is read again as a whole once all is committed. */
  async #forgetTooShort(needs: ReadonlyMap<string, Need>): Promise<void> {
    const tooShort = [...needs].filter(([visitor, { from }]) => {
      const known = this.#remembered.get(visitor);
      return known !== undefined && from < known.readFrom;
    });
    if (tooShort.length === 0) return;
    await this.options.settled();
    for (const [visitor] of tooShort) {
      if (!this.#remembered.has(visitor)) continue;
      for (const member of this.#groupOf(visitor)) this.#drop(member);
    }
  }

  async #read(missing: readonly (readonly [string, Need])[]) {
    const groups = new Map<number, { visitors: string[]; from: number }>();
    for (const [visitor, { from }] of missing) {
      const age = Math.floor(from / READ_GROUP_MS);
      const group = groups.get(age);
      if (group === undefined) groups.set(age, { visitors: [visitor], from });
      else {
        group.visitors.push(visitor);
        group.from = Math.min(group.from, from);
      }
    }
    const reads = [...groups.values()].map(({ visitors, from }) =>
      this.options.read({ partition: this.options.partition, visitors, from: from - MARGIN_MS }),
    );
    return (await Promise.all(reads)).flat();
  }

  #restore(
    found: ReadonlyMap<string, ReadonlyMap<string, VisitEvent>>,
    needs: ReadonlyMap<string, Need>,
  ): void {
    for (const visitor of found.keys()) {
      const { site, from } = needs.get(visitor)!;
      const timeline: Timeline = { site, visitor, pieces: [], sessions: [] };
      this.#keep({ timeline, readFrom: from - MARGIN_MS, linked: null, run: 0, spared: 0, weight: 1 });
    }
    for (const events of found.values()) for (const event of events.values()) this.#link(event);
    const done = new Set<string>();
    for (const [visitor, events] of found) {
      if (events.size === 0 || done.has(visitor)) continue;
      const group = this.#groupOf(visitor).filter((member) => found.has(member));
      const own = new Map(group.map((member) => [member, [...found.get(member)!.values()]]));
      for (const timeline of restoreTimelines(needs.get(visitor)!.site, own)) {
        done.add(timeline.visitor);
        this.#keep({ ...this.#drop(timeline.visitor), timeline, weight: weightOf(timeline) });
      }
    }
  }

  #keep(remembered: Remembered): void {
    this.#remembered.set(remembered.timeline.visitor, remembered);
    this.#weight += remembered.weight;
  }

  #drop(visitor: string): Remembered {
    const known = this.#remembered.get(visitor)!;
    this.#remembered.delete(visitor);
    this.#weight -= known.weight;
    return known;
  }
}

function addNeed(needs: Map<string, Need>, visitor: string, { site, from }: Need): void {
  const known = needs.get(visitor);
  if (known === undefined || from < known.from) needs.set(visitor, { site, from });
}

function append(byVisitor: Map<string, VisitEvent[]>, event: VisitEvent): void {
  const own = byVisitor.get(event.visitor);
  if (own === undefined) byVisitor.set(event.visitor, [event]);
  else own.push(event);
}

/** In memory a visitor weighs about as much as an event. */
const weightOf = ({ pieces }: Timeline): number => pieces.reduce((sum, piece) => sum + piece.weight, 1);
