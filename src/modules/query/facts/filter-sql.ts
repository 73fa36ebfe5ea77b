// Filter trees as SQL predicates, over a session row `s` or over one event `e` of it. A predicate sees
// the text that an answer would show, so no comparison is ever null.
import {
  type Behaviour,
  type Comparison,
  comparisonsOf,
  type Filter,
  type Operator,
  patternsOf,
} from '../request/filters.js';
import type { Range } from '../request/date-range.js';
import {
  columnsOf,
  type EventColumn,
  GOAL_DIMENSION,
  isVisitDimension,
  type Place,
  visitSql,
} from '../vocabulary/dimensions.js';
import type { Goal } from '../vocabulary/goal.js';
import { eventValueSql } from './clock-sql.js';
import { EVENT_AT, eventsApart, IS_COUNTED } from './events-apart.js';
import { anyGoalSql, columnsOfGoals, isScrollGoal } from './goal-sql.js';
import { likeLiteral } from './like.js';
import { type SqlParameters, timestamp } from './sql-parameters.js';

export interface FilterContext {
  readonly parameters: SqlParameters;
  /** Those that the filters can name. */
  readonly goals: readonly Goal[];
  /** Where `has_done` looks. */
  readonly range: Range;
  /** IANA name of the time zone of what clocks show. */
  readonly zone: string;
}

/** What a tree is made of: the parts that are asked of a session as a whole, and those asked of its events. */
export type Leaf = Comparison | Behaviour;

export const isSessionLeaf = (leaf: Leaf): boolean =>
  leaf.kind !== 'comparison' || isVisitDimension(leaf.dimension);

/** The predicate of a tree; `leafSql` says how one leaf reads where the tree is used. */
export function treeSql(filter: Filter, leafSql: (leaf: Leaf) => string): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters
        .map((inner) => `(${treeSql(inner, leafSql)})`)
        .join(filter.kind === 'and' ? ' AND ' : ' OR ');
    case 'not':
      return `NOT (${treeSql(filter.filter, leafSql)})`;
    case 'segment':
      throw new Error('A segment reached SQL unresolved');
    default:
      return leafSql(filter);
  }
}

/** Over `s`, for leaves that are asked of sessions. */
export function sessionLeafSql(leaf: Leaf, context: FilterContext): string {
  if (leaf.kind !== 'comparison') {
    const exists = someEventSql([leaf.filter], context);
    return leaf.kind === 'has_done' ? exists : `NOT ${exists}`;
  }
  if (!isVisitDimension(leaf.dimension)) throw new Error(`${leaf.dimension} is no visit's dimension`);
  return comparisonSql(leaf, visitSql(leaf.dimension, context.parameters), context.parameters);
}

/** Over `e`, for comparisons of events. `entry` puts the session's entry in the event's place. */
export function eventLeafSql(comparison: Comparison, place: Place, context: FilterContext): string {
  const { dimension, operator } = comparison;
  const { parameters, goals } = context;
  if (isVisitDimension(dimension)) throw new Error(`${dimension} is no event's dimension`);
  if (dimension !== GOAL_DIMENSION) {
    return comparisonSql(comparison, eventValueSql(dimension, place, context), parameters);
  }
  const reached = anyGoalSql(goalsNamed(comparison, goals), parameters);
  return operator.endsWith('_not') ? `NOT ${reached}` : reached;
}

/** Whether the session `s` has an event within the range that passes all filters. */
export function someEventSql(filters: readonly Filter[], context: FilterContext): string {
  const { goals, parameters } = context;
  return `EXISTS (SELECT FROM (SELECT ${eventsApart(columnsOfFilters(filters, goals))}) AS e
    WHERE ${eventOrScrollSql(scrollGoalsNamed(filters, goals), parameters)} AND ${passesSql(filters, context)})`;
}

/** Over `e`: whether the event is within the range and passes all filters. */
export function passesSql(filters: readonly Filter[], context: FilterContext): string {
  const { range, parameters } = context;
  const leafSql = (leaf: Leaf): string =>
    leaf.kind === 'comparison' && !isSessionLeaf(leaf)
      ? eventLeafSql(leaf, 'own', context)
      : sessionLeafSql(leaf, context);
  return [
    `${EVENT_AT} >= ${parameters.add(timestamp(range.from), 'timestamptz')}`,
    `${EVENT_AT} < ${parameters.add(timestamp(range.to), 'timestamptz')}`,
    ...filters.map((filter) => `(${treeSql(filter, leafSql)})`),
  ].join(' AND ');
}

/** The events that anybody may count, and those that reach one of the scroll goals. */
export const eventOrScrollSql = (scrollGoals: readonly Goal[], parameters: SqlParameters): string =>
  scrollGoals.length === 0 ? IS_COUNTED : `(${IS_COUNTED} OR ${anyGoalSql(scrollGoals, parameters)})`;

export function scrollGoalsNamed(filters: readonly Filter[], goals: readonly Goal[]): readonly Goal[] {
  const named = filters.flatMap(comparisonsOf).flatMap((comparison) => goalsNamed(comparison, goals));
  return [...new Set(named)].filter(isScrollGoal);
}

/** The goals that a comparison of event:goal speaks of; none for other comparisons. */
export function goalsNamed(comparison: Comparison, goals: readonly Goal[]): readonly Goal[] {
  const { dimension, operator, values, caseSensitive } = comparison;
  if (dimension !== GOAL_DIMENSION) return [];
  const folded = (text: string) => (caseSensitive ? text : text.toLowerCase());
  const wanted = values.map(folded);
  return goals.filter(({ name }) =>
    operator === 'contains'
      ? wanted.some((value) => folded(name).includes(value))
      : wanted.includes(folded(name)),
  );
}

/** What the comparisons of events read of one. */
export function columnsOfFilters(filters: readonly Filter[], goals: readonly Goal[]): readonly EventColumn[] {
  return filters.flatMap(comparisonsOf).flatMap((comparison): readonly EventColumn[] => {
    const { dimension } = comparison;
    if (isVisitDimension(dimension)) return [];
    return dimension === GOAL_DIMENSION
      ? columnsOfGoals(goalsNamed(comparison, goals))
      : columnsOf(dimension);
  });
}

/** `expression` is the SQL of the comparison's dimension: text, never null. */
function comparisonSql(
  { operator, values, caseSensitive }: Pick<Comparison, 'operator' | 'values' | 'caseSensitive'>,
  expression: string,
  parameters: SqlParameters,
): string {
  const any = (patterns: readonly string[]) => `ANY(${parameters.add(patterns, 'text[]')})`;
  const like = caseSensitive ? 'LIKE' : 'ILIKE';
  switch (operator) {
    case 'is':
      return caseSensitive
        ? `${expression} = ${values.length === 1 ? parameters.add(values[0], 'text') : any(values)}`
        : `${expression} ILIKE ${any(values.map(likeLiteral))}`;
    case 'contains':
      return `${expression} ${like} ${any(values.map((value) => `%${likeLiteral(value)}%`))}`;
    case 'matches':
      return `${expression} ${caseSensitive ? '~' : '~*'} ${any(patternsOf(values))}`;
    case 'is_not':
    case 'contains_not':
    case 'matches_not': {
      const positive = operator.slice(0, -'_not'.length) as Operator;
      return `NOT (${comparisonSql({ operator: positive, values, caseSensitive }, expression, parameters)})`;
    }
  }
}
