// What a query comes down to over the facts: its groups, what each part must contribute to them, and
// whether sessions are counted whole or by the events that match.
import type { Counter } from '../vocabulary/counters.js';
import {
  GOAL_DIMENSION,
  isEventDimension,
  isTimeDimension,
  isVisitDimension,
  type ValueDimension,
  type VisitDimension,
  visitSql,
} from '../vocabulary/dimensions.js';
import type { Goal } from '../vocabulary/goal.js';
import { countersOf } from '../vocabulary/metrics.js';
import { comparisonsOf, type Filter, isEventFilter } from '../request/filters.js';
import { CONTRIBUTIONS, type Contributed, contributedFor, type Contribution } from './contribution.js';
import { type FactsQuery, OTHER } from './facts-query.js';
import { type FilterContext, scrollGoalsNamed } from './filter-sql.js';
import { isScrollGoal } from './goal-sql.js';
import { type FactsSource, filterContext } from './session-selection.js';
import { timestamp } from './sql-parameters.js';

/** Groups are compared byte by byte: the same order everywhere, and the fastest. */
export const bytewise = (expression: string): string => `(${expression}) COLLATE "C"`;

const ATTENTION: readonly Counter[] = ['engagementMs', 'scrollDepths'];

export class QueryShape {
  readonly timed: boolean;
  readonly values: readonly ValueDimension[];
  readonly eventFilters: readonly Filter[];
  readonly scrollGoals: readonly Goal[];
  /** Some dimension or filter tells events of one session apart. */
  readonly byEvents: boolean;
  readonly counters: ReadonlySet<Counter>;
  readonly contributed: readonly Contributed[];
  /** Bounces and durations by the page a session entered at, not by the pages it touched. */
  readonly byEntry: readonly Contributed[];
  readonly filterContext: FilterContext;
  private readonly from: string;
  private readonly to: string;
  private readonly bounds: string;

  /** `scrollGoals`: whose engagement events count as well as those that the query itself speaks of. */
  constructor(
    readonly query: FactsQuery,
    readonly source: FactsSource,
    scrollGoals: readonly Goal[] = [],
  ) {
    const { dimensions, filters, goals, range, buckets, metrics } = query;
    const { parameters } = source;
    this.timed = dimensions.some(isTimeDimension);
    this.values = dimensions.filter((dimension): dimension is ValueDimension => !isTimeDimension(dimension));
    this.eventFilters = filters.filter(isEventFilter);
    const named = this.groupsByGoal ? goals.filter(isScrollGoal) : scrollGoalsNamed(this.eventFilters, goals);
    this.scrollGoals = [...new Set([...named, ...scrollGoals])];
    this.byEvents =
      this.eventFilters.length > 0 || this.values.some(isEventDimension) || this.scrollGoals.length > 0;
    this.counters = countersOf(metrics);
    this.contributed = this.neededContributions();
    this.byEntry = this.contributed.filter((name) => this.countsByEntry(name));
    this.filterContext = filterContext(query, source);
    this.from = parameters.add(timestamp(range.from), 'timestamptz');
    this.to = parameters.add(timestamp(range.to), 'timestamptz');
    this.bounds = this.timed ? parameters.add(buckets.bounds.map(timestamp), 'timestamptz[]') : '';
  }

  get groupsByGoal(): boolean {
    return this.values.includes(GOAL_DIMENSION);
  }

  get countsVisitors(): boolean {
    return this.counters.has('visitors') || this.counters.has('newVisitors');
  }

  /** Engagement is told by engagement events, which count nowhere else. */
  get countsAttention(): boolean {
    return ATTENTION.some((counter) => this.counters.has(counter));
  }

  get countsRevenue(): boolean {
    return this.counters.has('revenueMicros');
  }

  /** Of a group: value dimensions as d0, d1, …, then the bucket. */
  keys(prefix: string = 'd'): readonly string[] {
    return [...this.values.map((_, index) => `${prefix}${index}`), ...(this.timed ? ['bucket'] : [])];
  }

  /** Of the session row `s`, for the dimensions that are the session's: expressions named d0, d1, … */
  visitColumns(): readonly string[] {
    return this.values.flatMap((dimension, index) =>
      isVisitDimension(dimension) ? [`${this.visitValue(dimension)} AS d${index}`] : [],
    );
  }

  /** From 1 to n within the range; 0 before it, n + 1 after it. Only where the query is grouped by time. */
  bucketOf(instant: string): string {
    return `width_bucket(${instant}, ${this.bounds})`;
  }

  get lastBucket(): number {
    return this.query.buckets.bounds.length - 1;
  }

  /**
   * Whether all from `first` to `last` is within the range. Two comparisons and no CASE: PostgreSQL
   * thinks that every event costs it, and gives up parallel plans where it costs much.
   */
  within(first: string, last: string = first): string {
    return `${first} >= ${this.from} AND ${last} < ${this.to}`;
  }

  /** SELECT list of one part; `keys` are expressions in the order of `keys()`. */
  contribute(contribution: Contribution, keys: readonly string[] = this.keys()): string {
    const named = this.keys().map((name, index) => `${keys[index]} AS ${name}`);
    const identities = [
      ...(this.countsVisitors ? [`${contribution.visitor ?? 'NULL'}::bigint AS visitor`] : []),
      ...(this.counters.has('newVisitors')
        ? [`${contribution.started_at ?? 'NULL'}::timestamptz AS started_at`]
        : []),
      ...(this.byEvents ? [`${contribution.session ?? 'NULL'}::bigint AS session`] : []),
    ];
    const counters = this.contributed.map(
      (name) => `${contribution[name] ?? 'NULL'}::${CONTRIBUTIONS[name].type} AS ${name}`,
    );
    return [...named, ...identities, ...counters].join(', ');
  }

  /** A dimension's value as groups are named by it. */
  groupName(value: string): string {
    const kept = this.query.toAddUp?.keptValues ?? null;
    if (kept === null) return bytewise(value);
    return bytewise(
      `CASE WHEN ${value} = ANY(${this.source.parameters.add(kept, 'text[]')}) THEN ${value} ELSE '${OTHER}' END`,
    );
  }

  /** What of a contribution this query needs. */
  needed(contribution: Contribution, wanted: (name: Contributed) => boolean): Contribution {
    const entries = this.contributed.filter((name) => name in contribution && wanted(name));
    return Object.fromEntries(entries.map((name) => [name, contribution[name]]));
  }

  private visitValue(dimension: VisitDimension): string {
    return this.groupName(visitSql(dimension, this.source.parameters));
  }

  /** With events the visits are the sessions that have one: counted, not summed. */
  private neededContributions(): readonly Contributed[] {
    const needed = contributedFor(this.counters).filter((name) => name !== 'visits');
    return this.byEvents ? needed : ['visits', ...needed];
  }

  private countsByEntry(name: Contributed): boolean {
    const grouped = this.values.includes('event:page');
    if (name.startsWith('duration')) return grouped;
    if (!name.startsWith('bounce')) return false;
    return (
      grouped || this.eventFilters.flatMap(comparisonsOf).some(({ dimension }) => dimension === 'event:page')
    );
  }
}
