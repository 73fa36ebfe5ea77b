// Which events and visits fall into which group of an answer: every event of every visit is looked at,
// asked by every filter and put wherever its dimensions say.
import type { Goal } from '../../src/modules/query/vocabulary/goal.js';
import { dimensionsOf, goalsNamed, type Looked, passes, type WireFilter } from './filters.js';
import type { Span } from './ranges.js';
import { hitValues, isOfEvents, reaches, visitValue } from './values.js';
import type { Hit, Visit } from './visits.js';

/** A request as one bucket sees it. */
export interface Question extends Span {
  /** Without time. */
  readonly dimensions: readonly string[];
  readonly filters: readonly WireFilter[];
  readonly site: Defined;
  /** Where has_done looks. */
  readonly range: Span;
  /** Reading so far down counts as an event does. */
  readonly scrollGoals: readonly Goal[];
  /** Whether an amount is part of the revenue; null: all are. */
  readonly paidFor: readonly Goal[] | null;
}

/** What a site's people defined. */
export interface Defined {
  readonly goals: readonly Goal[];
  readonly segments: ReadonlyMap<string, readonly WireFilter[]>;
}

export interface Group {
  readonly key: readonly string[];
  /** Counted events that match, each with its visit. */
  readonly hits: Placed[];
  /** Events that match and say how long or how far somebody read. */
  readonly attention: Placed[];
  readonly paid: Placed[];
  readonly touched: Set<Visit>;
  /** Visits that would be here had each of their events happened where they entered. */
  readonly entering: Set<Visit>;
  /** The ids of who is here, each with the visits that it is counted in. */
  readonly visitors: Map<string, Set<Visit>>;
}

export interface Placed {
  readonly visit: Visit;
  readonly hit: Hit;
}

export function gather(visits: readonly Visit[], question: Question): readonly Group[] {
  const groups = new Groups();
  if (question.dimensions.length === 0) groups.of([]);
  const byEvents = looksAtEvents(question);
  for (const visit of visits) {
    if (byEvents) gatherEvents(groups, visit, question);
    else gatherVisit(groups, visit, question);
  }
  return groups.all();
}

/** Whether events of one visit can differ in what is asked. */
export const looksAtEvents = ({ dimensions, filters, site, scrollGoals }: Question): boolean =>
  scrollGoals.length > 0 ||
  [...dimensions, ...filters.flatMap((filter) => dimensionsOf(filter, site.segments))].some(isOfEvents);

const within = (hit: Hit, { from, to }: Span): boolean => hit.at >= from && hit.at < to;
const counts = (hit: Hit, scrollGoals: readonly Goal[]): boolean =>
  !hit.engagement || scrollGoals.some((goal) => reaches(hit, goal));

function gatherVisit(groups: Groups, visit: Visit, question: Question): void {
  const read = (name: string) => [visitValue(visit, name)];
  if (!question.filters.every((filter) => passes(filter, look(read, visit, question)))) return;
  const active = visit.startedAt < question.to && visit.endedAt >= question.from;
  const hits = visit.hits.filter((hit) => within(hit, question));
  if (!active && hits.length === 0) return;
  const group = groups.of(question.dimensions.map((name) => visitValue(visit, name)));
  if (active) group.touched.add(visit);
  for (const hit of hits) put(group, { visit, hit }, question);
}

function put(group: Group, { visit, hit }: Placed, { scrollGoals, paidFor }: Question): void {
  if (hit.engagementMs !== null || hit.scrollDepth !== null) group.attention.push({ visit, hit });
  if (counts(hit, scrollGoals)) {
    group.visitors.set(hit.visitor, (group.visitors.get(hit.visitor) ?? new Set()).add(visit));
  }
  if (hit.engagement) return;
  group.hits.push({ visit, hit });
  const goals = paidFor?.filter(({ currency }) => currency === hit.currency);
  if (hit.micros !== null && goals?.some((goal) => reaches(hit, goal)) !== false)
    group.paid.push({ visit, hit });
}

function gatherEvents(groups: Groups, visit: Visit, question: Question): void {
  const { dimensions, filters, site, scrollGoals } = question;
  for (const hit of visit.hits.filter((one) => within(one, question))) {
    const values = (asEntry: boolean) => (dimension: string) =>
      hitValues(visit, hit, { dimension, asEntry, goals: site.goals });
    const fits = (asEntry: boolean) =>
      filters.every((filter) => passes(filter, look(values(asEntry), visit, question)));
    if (fits(false)) {
      for (const key of combinations(dimensions.map(values(false)))) {
        const group = groups.of(key);
        const goal = site.goals.find(({ name }) => name === key[dimensions.indexOf('event:goal')]);
        put(group, { visit, hit }, goal === undefined ? question : { ...question, paidFor: [goal] });
        if (counts(hit, scrollGoals)) group.touched.add(visit);
      }
    }
    if (!counts(hit, scrollGoals) || !fits(true)) continue;
    for (const key of combinations(dimensions.map(values(true)))) groups.of(key).entering.add(visit);
  }
}

function look(values: (dimension: string) => readonly string[], visit: Visit, question: Question): Looked {
  const { site, range } = question;
  return {
    values,
    segment: (id) => site.segments.get(id) ?? [],
    hasDone: (filter) => hasDone(visit, filter, { site, range }),
  };
}

function hasDone(
  visit: Visit,
  filter: WireFilter,
  { site, range }: Pick<Question, 'site' | 'range'>,
): boolean {
  const scrollGoals = scrollGoalsOf([filter], site.goals);
  return visit.hits.some((hit) => {
    if (!within(hit, range) || !counts(hit, scrollGoals)) return false;
    const values = (dimension: string) =>
      hitValues(visit, hit, { dimension, asEntry: false, goals: site.goals });
    return passes(filter, { values, segment: (id) => site.segments.get(id) ?? [], hasDone: () => false });
  });
}

/** Those that filters name. */
export function scrollGoalsOf(filters: readonly WireFilter[], goals: readonly Goal[]): readonly Goal[] {
  const known = goals.map(({ name }) => name);
  const named = new Set(filters.flatMap((filter) => goalsNamed(filter, known)).flatMap(({ names }) => names));
  return goals.filter(({ name, match }) => match.kind === 'scroll' && named.has(name));
}

/** One of each. */
function combinations(choices: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return choices.reduce<readonly (readonly string[])[]>(
    (made, values) => made.flatMap((key) => values.map((value) => [...key, value])),
    [[]],
  );
}

export class Groups {
  private readonly groups = new Map<string, Group>();

  of(key: readonly string[]): Group {
    const name = JSON.stringify(key);
    let group = this.groups.get(name);
    if (group === undefined) {
      group = {
        key,
        hits: [],
        attention: [],
        paid: [],
        touched: new Set(),
        entering: new Set(),
        visitors: new Map(),
      };
      this.groups.set(name, group);
    }
    return group;
  }

  all(): readonly Group[] {
    return [...this.groups.values()];
  }
}
