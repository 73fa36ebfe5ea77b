// Goals as SQL predicates over one event `e` (facts/events-apart.ts): never null.
import type { EventColumn } from '../vocabulary/dimensions.js';
import type { Goal } from '../vocabulary/goal.js';
import { EVENT_NAME } from './events-apart.js';
import { likeWildcard } from './like.js';
import type { SqlParameters } from './sql-parameters.js';

/** Whether the event reaches the goal. Scroll goals are reached by engagement events, which say how far one read. */
export function goalSql({ match }: Goal, parameters: SqlParameters): string {
  const properties = Object.entries(match.props).map(
    ([name, value]) => `e.props ->> ${parameters.add(name, 'text')} = ${parameters.add(value, 'text')}`,
  );
  const conditions = [...(match.kind === 'event' ? [] : [pageSql(match.page, parameters)]), ...properties];
  if (match.kind === 'event') conditions.unshift(`${EVENT_NAME} = ${parameters.add(match.name, 'text')}`);
  if (match.kind === 'page') conditions.unshift(`${EVENT_NAME} = 'pageview'`);
  if (match.kind === 'scroll') {
    conditions.unshift(
      `e.name = 'engagement'`,
      `e.scroll_depth >= ${parameters.add(match.scrollDepth, 'int')}`,
    );
  }
  return `((${conditions.join(' AND ')}) IS TRUE)`;
}

/** Whether the event reaches one of the goals. */
export const anyGoalSql = (goals: readonly Goal[], parameters: SqlParameters): string =>
  goals.length === 0 ? 'false' : `(${goals.map((goal) => goalSql(goal, parameters)).join(' OR ')})`;

export const isScrollGoal = ({ match }: Goal): boolean => match.kind === 'scroll';

/** What the predicates of the goals read of an event. */
export function columnsOfGoals(goals: readonly Goal[]): readonly EventColumn[] {
  return goals.flatMap(({ match }): readonly EventColumn[] => [
    'name',
    ...(match.kind === 'event' ? [] : (['page'] as const)),
    ...(match.kind === 'scroll' ? (['scroll_depth'] as const) : []),
    ...(Object.keys(match.props).length > 0 ? (['props'] as const) : []),
  ]);
}

function pageSql(page: string, parameters: SqlParameters): string {
  if (!page.includes('*')) return `e.page = ${parameters.add(page, 'text')}`;
  return `e.page LIKE ${parameters.add(likeWildcard(page), 'text')}`;
}
