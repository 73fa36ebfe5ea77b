// Funnels: steps that follow each other. A step that names a goal is kept by the goal's id, so that it
// goes with the goal when that is renamed; a goal that is a step of a funnel cannot be deleted.
import { z } from 'zod';
import type { FunnelStepFields } from '../../../events/definition.events.js';
import { invalidRequest } from '../request/parsed-by.js';
import type { FunnelDefinition, FunnelStep } from '../vocabulary/site-definitions.js';
import {
  type Definition,
  type DefinitionRules,
  type Definitions,
  line,
  NAME_CHARACTERS_MAX,
} from './definition.js';
import { matchOf, nameOfMatch, stepSchema } from './goal-match.js';

const FUNNELS_MAX = 100;
const STEPS_MIN = 2;
const STEPS_MAX = 10;
const WINDOW_SECONDS_MAX = 90 * 86_400;

export const funnels: DefinitionRules<'Funnel'> = {
  kind: 'Funnel',
  singular: 'funnel',
  plural: 'funnels',
  description: 'Goals, events and pages that follow each other, to be counted step by step.',
  idPrefix: 'f',
  itemsMax: FUNNELS_MAX,
  body: z.strictObject({
    name: line(NAME_CHARACTERS_MAX).meta({ description: 'Unique in the site.' }),
    steps: z.array(stepSchema).min(STEPS_MIN).max(STEPS_MAX),
    windowSeconds: z.int().min(1).max(WINDOW_SECONDS_MAX).optional().meta({
      description: "From the first step to the last. Default: the report's.",
    }),
  }),
  examples: [
    {
      summary: 'From the prices to a signup within a day',
      value: {
        name: 'Signing up',
        steps: [
          { pagePath: '/pricing*' },
          { eventName: 'Trial', props: { plan: 'pro' } },
          { goal: 'Pro signup' },
        ],
        windowSeconds: 86_400,
      },
    },
  ],
  orderOf: ({ name }) => name,
  linked: (fields, { Goal }) => {
    const ids = new Map([...Goal.values()].map(({ id, fields: { name } }) => [name, id]));
    const errors = fields.steps.flatMap(({ goal }, index) =>
      goal === undefined || ids.has(goal)
        ? []
        : [{ path: `steps[${index}].goal`, message: 'is not the name of a goal of the site' }],
    );
    if (errors.length > 0) throw invalidRequest(errors);
    return { ...fields, steps: named(fields.steps, (name) => ids.get(name)!) };
  },
  shown: (fields, definitions) => ({
    ...fields,
    steps: named(fields.steps, (id) => goalNameOf(id, definitions)),
  }),
};

const named = (steps: readonly FunnelStepFields[], rename: (goal: string) => string) =>
  steps.map((step) => (step.goal === undefined ? step : { goal: rename(step.goal) }));

const goalNameOf = (id: string, { Goal }: Definitions): string => Goal.get(id)?.fields.name ?? id;

export const funnelOf = (
  { id, fields: { name, steps, windowSeconds } }: Definition<'Funnel'>,
  definitions: Definitions,
): FunnelDefinition => ({
  ...{ id, name, windowSeconds: windowSeconds ?? null },
  steps: steps.map((step): FunnelStep => {
    if (step.goal === undefined) return { name: nameOfMatch(matchOf(step)), match: matchOf(step) };
    const { name, ...match } = definitions.Goal.get(step.goal)!.fields;
    return { name, match: matchOf(match) };
  }),
});
