// What visitors did, as reports name it: one of the site's goals, an event, or a view of a page. Looked up
// when a report is planned, so that its cache key holds what the goal is at the time.
import { z } from 'zod';
import { Problem } from '../../../http/problem.js';
import { IS_COUNTED } from '../facts/events-apart.js';
import { columnsOfGoals, goalSql } from '../facts/goal-sql.js';
import { likeWildcard } from '../facts/like.js';
import type { SqlParameters } from '../facts/sql-parameters.js';
import type { EventColumn } from '../vocabulary/dimensions.js';
import type { Goal, GoalMatch } from '../vocabulary/goal.js';
import type { FunnelStep } from '../vocabulary/site-definitions.js';

const TEXT_CHARS_MAX = 2_048;
const PROPS_MAX = 10;
/** LIKE tries every way to fill them. */
const WILDCARDS_MAX = 10;

const text = z
  .string()
  .min(1)
  .max(TEXT_CHARS_MAX)
  .refine((value) => !value.includes('\0'), 'must not contain the character U+0000');

export const pagePath = text.refine(
  (path) => path.split('*').length - 1 <= WILDCARDS_MAX,
  `must hold at most ${WILDCARDS_MAX} times *`,
);

const props = z
  .record(text, z.union([text, z.number(), z.boolean()]).transform(String))
  .refine((given) => Object.keys(given).length <= PROPS_MAX, `must hold at most ${PROPS_MAX} properties`);

export const stepSchema = z
  .strictObject({
    goal: text.optional().meta({ description: 'Name of a goal of the site.', example: 'Signup' }),
    eventName: text.optional().meta({ example: 'Add to cart' }),
    pagePath: pagePath
      .optional()
      .meta({ description: 'A page is viewed; `*` stands for any characters.', example: '/cart*' }),
    props: props
      .optional()
      .meta({ description: 'Values that properties of the event or pageview must have, all of them.' }),
  })
  .refine(
    ({ goal, eventName, pagePath }) =>
      [goal, eventName, pagePath].filter((one) => one !== undefined).length === 1,
    'must name exactly one of goal, eventName, pagePath',
  )
  .refine(({ goal, props }) => goal === undefined || props === undefined, {
    path: ['props'],
    message: 'a goal has its own properties',
  })
  .meta({ description: 'Exactly one of `goal`, `eventName`, `pagePath`.' });
export type Step = z.output<typeof stepSchema>;

/** @throws Problem 400 where the site has no such goal; `path` is the step's in the request. */
export function resolveStep(step: Step, path: string, goals: readonly Goal[]): FunnelStep {
  const { goal, eventName, pagePath, props = {} } = step;
  if (eventName !== undefined) return { name: eventName, match: { kind: 'event', name: eventName, props } };
  if (pagePath !== undefined) {
    return { name: `Visit ${pagePath}`, match: { kind: 'page', page: pagePath, props } };
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
