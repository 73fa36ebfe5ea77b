// Which sessions are engaged: over 10 seconds, two pageviews, or an interactive custom event that
// reaches a goal.
import type { Goal } from '../vocabulary/goal.js';
import { eventsApart } from './events-apart.js';
import { anyGoalSql, columnsOfGoals } from './goal-sql.js';
import type { SqlParameters } from './sql-parameters.js';

const ENGAGED_SECONDS = 10;

/** Over the session row `s`. */
export function engagedSql(goals: readonly Goal[], parameters: SqlParameters): string {
  const plain = `s.pageviews >= 2 OR s.ended_at - s.started_at > interval '${ENGAGED_SECONDS} seconds'`;
  const reachedByEvents = goals.filter(({ match }) => match.kind === 'event');
  if (reachedByEvents.length === 0) return `(${plain})`;
  const columns = eventsApart(['interactive', ...columnsOfGoals(reachedByEvents)]);
  return `CASE WHEN ${plain} THEN true ELSE EXISTS (SELECT FROM (SELECT ${columns}) AS e
    WHERE e.name NOT IN ('pageview', 'engagement') AND coalesce(e.interactive, true)
      AND ${anyGoalSql(reachedByEvents, parameters)}) END`;
}
