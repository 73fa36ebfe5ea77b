// What visitors did, as reports name it: one of the site's goals, or what a goal would match. Looked up when a
// report is planned, so that its cache key holds what the goal is at the time.
import { Problem } from '../../../http/problem.js';
import { IS_COUNTED } from '../facts/events-apart.js';
import { columnsOfGoals, goalSql } from '../facts/goal-sql.js';
import { likeWildcard } from '../facts/like.js';
import type { SqlParameters } from '../facts/sql-parameters.js';
import { matchOf, nameOfMatch, type Step } from '../saved/goal-match.js';
import type { EventColumn } from '../vocabulary/dimensions.js';
import type { Goal, GoalMatch } from '../vocabulary/goal.js';
import type { FunnelStep } from '../vocabulary/site-definitions.js';

/** @throws Problem 400 where the site has no such goal; `path` is the step's in the request. */
export function resolveStep(step: Step, path: string, goals: readonly Goal[]): FunnelStep {
  const { goal, ...form } = step;
  if (goal === undefined) {
    const match = matchOf(form);
    return { name: nameOfMatch(match), match };
  }
  const known = goals.find(({ name }) => name === goal);
  if (known === undefined) throw unknown(`${path}.goal`, `the site has no goal named ${goal}`);
  return { name: known.name, match: known.match };
}

export function unknown(path: string, message: string): Problem {
  return Problem.badRequest(`${path}: ${message}`, [{ path, message }]);
}

/** Over the event `e`: whether it is this step. Engagement is an event for scroll goals only. */
export function stepSql(step: FunnelStep, parameters: SqlParameters): string {
  const matches = goalSql(goalOf(step), parameters);
  return step.match.kind === 'scroll' ? matches : `(${IS_COUNTED} AND ${matches})`;
}

/** What `stepSql` reads of an event. */
export const columnsOfSteps = (steps: readonly FunnelStep[]): readonly EventColumn[] =>
  columnsOfGoals(steps.map(goalOf));

const goalOf = ({ name, match }: FunnelStep): Goal => ({ id: name, name, match, currency: null });

/** Over the session row `s`: spares sessions that cannot have a matching event; decides nothing. */
export function mayMatchSql(match: GoalMatch, parameters: SqlParameters): string {
  if (match.kind === 'event') {
    if (match.name === 'pageview') return 's.pageviews > 0';
    return `s.event_names @> ${parameters.add([match.name], 'text[]')}`;
  }
  if (!match.page.includes('*')) return `s.event_pages @> ${parameters.add([match.page], 'text[]')}`;
  const pattern = parameters.add(likeWildcard(match.page), 'text');
  return `EXISTS (SELECT FROM unnest(s.event_pages) AS page WHERE page LIKE ${pattern})`;
}
