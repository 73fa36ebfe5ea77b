// How goals say what they match, and steps of funnels and of other reports: a goal by its name, or what a goal
// would match.
import { z } from 'zod';
import { text } from '../request/text.js';
import type { GoalMatch } from '../vocabulary/goal.js';
import { line } from './definition.js';

const EVENT_NAME_CHARACTERS_MAX = 120;
const PATH_CHARACTERS_MAX = 500;
const PATH_WILDCARDS_MAX = 10;
const PROPS_MAX = 10;
const PROP_NAME_CHARACTERS_MAX = 300;
const PROP_VALUE_CHARACTERS_MAX = 2_000;
/** Room for what a goal of the longest path is called by default. */
export const GOAL_NAME_CHARACTERS_MAX = PATH_CHARACTERS_MAX + 20;

interface MatchForm {
  readonly eventName?: string | undefined;
  readonly pagePath?: string | undefined;
  readonly scrollDepth?: number | undefined;
  readonly props?: Readonly<Record<string, string>> | undefined;
}

const propValue = z
  .union([text.max(PROP_VALUE_CHARACTERS_MAX), z.number(), z.boolean()], {
    error: `must be a number, a boolean or text of at most ${PROP_VALUE_CHARACTERS_MAX} characters`,
  })
  .transform(String);

export const pagePath = line(PATH_CHARACTERS_MAX)
  .refine((path) => /^[/*]/.test(path), 'must begin with / or *')
  .refine(
    // LIKE tries every way to fill them.
    (path) => path.split('*').length - 1 <= PATH_WILDCARDS_MAX,
    `must hold at most ${PATH_WILDCARDS_MAX} times *`,
  );

export const MATCH_SHAPE = {
  eventName: line(EVENT_NAME_CHARACTERS_MAX)
    .refine((name) => name !== 'engagement', 'must not be engagement, which is counted nowhere')
    .optional()
    .meta({ description: 'Events of this name.' }),
  pagePath: pagePath
    .optional()
    .meta({ description: 'Pageviews of this path, from beginning to end; `*` stands for any characters.' }),
  scrollDepth: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'With `pagePath`: only pages read so many percent down.' }),
  props: z
    .record(text.min(1).max(PROP_NAME_CHARACTERS_MAX), propValue)
    .refine((props) => Object.keys(props).length <= PROPS_MAX, `must name at most ${PROPS_MAX} properties`)
    .optional()
    .meta({ description: 'Values that properties of the event must have, all of them.' }),
};

export function checkMatch(form: MatchForm, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) => {
    context.addIssue({ code: 'custom', path: [path], message });
  };
  const { eventName, pagePath, scrollDepth } = form;
  if (eventName === undefined && pagePath === undefined) refuse('eventName', 'name an event or a page');
  if (eventName !== undefined && pagePath !== undefined) {
    refuse('pagePath', 'name an event or a page, not both');
  }
  if (scrollDepth !== undefined && pagePath === undefined) refuse('scrollDepth', 'is for pages');
}

export const stepSchema = z
  .strictObject({
    goal: line(GOAL_NAME_CHARACTERS_MAX)
      .optional()
      .meta({ description: 'Name of a goal of the site, instead of all else.' }),
    ...MATCH_SHAPE,
  })
  .superRefine(({ goal, ...match }, context) => {
    if (goal === undefined) return checkMatch(match, context);
    const other = Object.keys(match)[0];
    if (other !== undefined) {
      context.addIssue({ code: 'custom', path: [other], message: 'is what the goal says already' });
    }
  });
export type Step = z.output<typeof stepSchema>;

export function matchOf({ eventName, pagePath, scrollDepth, props = {} }: MatchForm): GoalMatch {
  if (eventName !== undefined) return { kind: 'event', name: eventName, props };
  const page = pagePath!;
  return scrollDepth === undefined
    ? { kind: 'page', page, props }
    : { kind: 'scroll', page, scrollDepth, props };
}

export function nameOfMatch(match: GoalMatch): string {
  switch (match.kind) {
    case 'event':
      return match.name;
    case 'page':
      return `Visit ${match.page}`;
    case 'scroll':
      return `Scroll ${match.scrollDepth} on ${match.page}`;
  }
}
