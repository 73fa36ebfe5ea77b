// Goals: what a site counts as a success. What one matches stays as it is, so that its name goes on
// meaning the same; its name and currency can be changed.
import { z } from 'zod';
import type { GoalFields } from '../../../events/definition.events.js';
import { isCurrency } from '../../auth/input-rules.js';
import type { Goal } from '../vocabulary/goal.js';
import { type Definition, type DefinitionRules, line } from './definition.js';
import { checkMatch, GOAL_NAME_CHARACTERS_MAX, MATCH_SHAPE, matchOf, nameOfMatch } from './goal-match.js';

const GOALS_MAX = 200;

const name = line(GOAL_NAME_CHARACTERS_MAX);
const currency = z.string().toUpperCase().refine(isCurrency, 'must be an ISO 4217 currency such as EUR');

const shape = {
  ...MATCH_SHAPE,
  currency: currency.optional().meta({
    minLength: 3,
    maxLength: 3,
    description: 'ISO 4217, for events: amounts in it are the revenue of the goal.',
  }),
};

const body = z
  .strictObject({
    ...shape,
    name: name.optional().meta({
      description:
        'Unique in the site. Default: the name of the event, `Visit /path` or `Scroll 50 on /path`.',
    }),
  })
  .superRefine((form, context) => {
    checkMatch(form, context);
    if (form.currency !== undefined && form.eventName === undefined) {
      context.addIssue({ code: 'custom', path: ['currency'], message: 'is for goals of events' });
    }
  })
  .transform((form): GoalFields => ({ ...form, name: form.name ?? nameOfMatch(matchOf(form)) }));

export const goals: DefinitionRules<'Goal'> = {
  kind: 'Goal',
  singular: 'goal',
  plural: 'goals',
  description: 'What a site counts as a success: an event, a visit of a page, or a page read so far down.',
  idPrefix: 'g',
  itemsMax: GOALS_MAX,
  body,
  answer: z.strictObject({ ...shape, name }),
  changeable: ['name', 'currency'],
  examples: [
    {
      summary: 'An event with a property, and revenue in one currency',
      value: { eventName: 'Signup', props: { plan: 'pro' }, currency: 'EUR', name: 'Pro signup' },
    },
    { summary: 'A visit of any page of the blog', value: { pagePath: '/blog*' } },
    { summary: 'Half of such a page read', value: { pagePath: '/blog*', scrollDepth: 50 } },
  ],
  orderOf: (fields) => fields.name,
  keptBy: (id, { Funnel }) => {
    const funnel = [...Funnel.values()].find(({ fields }) => fields.steps.some(({ goal }) => goal === id));
    return funnel && `The funnel ${JSON.stringify(funnel.fields.name)} has it as a step.`;
  },
};

export const goalOf = ({ id, fields }: Definition<'Goal'>): Goal => ({
  id,
  name: fields.name,
  match: matchOf(fields),
  currency: fields.currency ?? null,
});
