// Funnels: of the visitors who took the first step, how many took the next ones after it, in this order and
// within a window from the first step, in whichever visits. Behind each possible first step stands one chain:
// after each event the earliest later one that matches the next step. A visitor counts with the chain that
// gets furthest within the window; of several with the earliest. So a later first step can succeed where the
// first one does not.
import { z } from 'zod';
import { EVENT_AT, EVENT_VISITOR, eventsApart } from '../facts/events-apart.js';
import { eventValueSql } from '../facts/clock-sql.js';
import { matchingSessions } from '../facts/session-selection.js';
import { SqlParameters, type Statement, timestamp } from '../facts/sql-parameters.js';
import { percentOf } from '../reporting/percent.js';
import { defineReport, type Task } from '../reporting/report-definition.js';
import { columnsOfSteps, mayMatchSql, resolveStep, stepSql, unknown } from '../reporting/step.js';
import { stepSchema } from '../saved/goal-match.js';
import {
  columnsOf,
  GOAL_DIMENSION,
  isValueDimension,
  isVisitDimension,
  type ValueDimension,
  visitSql,
} from '../vocabulary/dimensions.js';
import type { FunnelStep } from '../vocabulary/site-definitions.js';

const STEPS_MIN = 2;
const STEPS_MAX = 10;
/** What Plausible gives a funnel, and as long as a cookieless visitor can be followed. */
const WINDOW_SECONDS = 24 * 3_600;
const WINDOW_SECONDS_MAX = 366 * 24 * 3_600;
const GROUPS_MAX = 100;
const GROUPS = 25;
/** Later than any event. */
const NEVER = '9223372036854775807';

type Breakdown = Exclude<ValueDimension, typeof GOAL_DIMENSION>;

interface Plan {
  readonly steps: readonly FunnelStep[];
  readonly windowSeconds: number;
  readonly dimension: Breakdown | null;
  readonly limit: number;
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;
const windowSchema = z
  .union(
    [z.int(), z.string().regex(/^[1-9]\d{0,8}[smhdw]$/)],
    'must be a number of seconds, or such as 30m, 24h, 14d',
  )
  .transform((given) =>
    typeof given === 'number'
      ? given
      : Number.parseInt(given, 10) * SECONDS[given.at(-1) as keyof typeof SECONDS],
  )
  .refine(
    (seconds) => seconds >= 1 && seconds <= WINDOW_SECONDS_MAX,
    'must lie between 1 second and 366 days',
  )
  .meta({
    description: `From the first step to the last, both included: seconds, or such as 30m, 24h, 14d. Default: the saved funnel's, else 24h.`,
    example: '24h',
  });

const isBreakdown = (name: unknown): name is Breakdown =>
  typeof name === 'string' && isValueDimension(name) && name !== GOAL_DIMENSION;

const stepResult = z.strictObject({
  name: z.string().meta({ description: "The goal's name, the event's, or `Visit ` and the page." }),
  visitors: z.int().meta({ description: 'Visitors who got at least this far.' }),
  conversion_rate: z.number().meta({ description: 'Percent of the visitors of the first step.' }),
  step_conversion_rate: z.number().meta({ description: 'Percent of the visitors of the previous step.' }),
  drop_off: z.int().meta({ description: 'Visitors of the previous step who did not get here.' }),
  median_seconds: z
    .number()
    .nullable()
    .meta({ description: 'From the previous step; null for the first step, and where nobody got.' }),
});

const results = z.strictObject({
  steps: z.array(stepResult),
  groups: z
    .array(z.strictObject({ dimensions: z.array(z.string()), steps: z.array(stepResult) }))
    .optional()
    .meta({ description: 'With a dimension: the same by its value at the first step, largest first.' }),
});
type Results = z.output<typeof results>;

export const funnels = defineReport({
  name: 'funnels',
  summary: 'Ask how far visitors get through ordered steps',
  description:
    'Visitors who took the first step, and of them those who took each next one later, in this order and within a window from the first step; in one visit or across several of the same visitor. Events must lie in the date range; filters and bots choose the visits that take part. Cookieless visitor ids last one day, so such visitors are never followed past midnight.',
  parameters: {
    steps: z.array(stepSchema).min(STEPS_MIN).max(STEPS_MAX).optional(),
    funnel: z.string().optional().meta({ description: 'Id of a saved funnel, in place of `steps`.' }),
    window: windowSchema.optional(),
    dimensions: z
      .array(
        z.custom<Breakdown>(isBreakdown, 'must be a dimension of visits or events, other than event:goal'),
      )
      .max(1)
      .default([])
      .meta({ description: 'At most one.', examples: [['visit:source']] }),
    limit: z
      .int()
      .min(1)
      .max(GROUPS_MAX)
      .default(GROUPS)
      .meta({ description: 'How many values of the dimension.' }),
  },
  examples: {
    checkout: {
      summary: 'From the cart to the order, by source',
      value: {
        date_range: '30d',
        steps: [{ pagePath: '/cart*' }, { eventName: 'Checkout' }, { eventName: 'Order' }],
        window: '24h',
        dimensions: ['visit:source'],
      },
    },
    trial: {
      summary: 'Who tries a plan signs up within two weeks',
      value: {
        date_range: '91d',
        steps: [{ eventName: 'Trial', props: { plan: 'pro' } }, { goal: 'Pro signup' }],
        window: '14d',
      },
    },
    saved: {
      summary: 'A saved funnel, by the id of yours',
      value: { date_range: '7d', funnel: 'f7Gk2mQx9RtP' },
    },
  },
  results,

  plan({ steps, funnel, window, dimensions, limit }, { selection, definitions }) {
    if ((steps === undefined) === (funnel === undefined)) {
      throw unknown('steps', 'give either steps or funnel');
    }
    const saved = funnel === undefined ? undefined : definitions.funnelOf(selection.site, funnel);
    if (funnel !== undefined && saved === undefined) throw unknown('funnel', 'the site has no such funnel');
    const goals = definitions.goalsOf(selection.site);
    const windowSeconds = window ?? saved?.windowSeconds ?? WINDOW_SECONDS;
    const plan: Plan = {
      steps: saved?.steps ?? steps!.map((step, index) => resolveStep(step, `steps[${index}]`, goals)),
      windowSeconds,
      dimension: dimensions[0] ?? null,
      limit,
    };
    return { plan, echo: { ...(saved ? { funnel } : { steps }), window: windowSeconds, dimensions, limit } };
  },

  async run(task: Task<Plan>): Promise<Results> {
    const { text, values } = funnelStatement(task);
    const { rows } = await task.client.query<Row>(text, [...values]);
    const { steps, dimension } = task.plan;
    const whole = rows.find(({ everything }) => everything)!;
    return {
      steps: stepsOf(whole, steps),
      ...(dimension !== null && {
        groups: rows
          .filter(({ everything }) => !everything)
          .map((row) => ({ dimensions: [row.value!], steps: stepsOf(row, steps) })),
      }),
    };
  },

  table({ steps, groups }) {
    const columns = ['step', 'name', ...Object.keys(stepResult.shape).filter((name) => name !== 'name')];
    const line = (step: z.output<typeof stepResult>, index: number) => {
      const { name, ...numbers } = step;
      return [index + 1, name, ...Object.values(numbers)];
    };
    if (groups === undefined) return { columns, rows: steps.map(line) };
    return {
      columns: ['value', ...columns],
      rows: groups.flatMap(({ dimensions, steps }) =>
        steps.map((step, index) => [...dimensions, ...line(step, index)]),
      ),
    };
  },
});

interface Row {
  readonly everything: boolean;
  readonly value: string | null;
  /** Visitors of each step. */
  readonly visitors: readonly string[];
  /** Milliseconds from the step before. */
  readonly medians: readonly (number | null)[];
}

function stepsOf({ visitors, medians }: Row, steps: readonly FunnelStep[]): Results['steps'] {
  const counts = visitors.map(Number);
  return steps.map(({ name }, index) => {
    const count = counts[index]!;
    const before = counts[Math.max(0, index - 1)]!;
    const median = medians[index] ?? null;
    return {
      name,
      visitors: count,
      conversion_rate: percentOf(count, counts[0]!),
      step_conversion_rate: percentOf(count, before),
      drop_off: before - count,
      median_seconds: median === null ? null : median / 1_000,
    };
  });
}

/**
 * The events that match a step are walked once, backwards in time: `chain_k` of an event is the instants of
 * the chain that begins with it at step k, made of its own and the earliest `chain_(k + 1)` seen so far.
 * Equally long and filled up with NEVER, the smallest of them is the earliest.
 */
function funnelStatement({ selection, factsTable, plan }: Task<Plan>): Statement {
  const { steps, windowSeconds, limit } = plan;
  const parameters = new SqlParameters();
  const last = steps.length;
  const numbers = steps.map((_, index) => index + 1);
  const windowMs = parameters.add(windowSeconds * 1_000, 'bigint');
  let chains = `(SELECT *, CASE WHEN step_${last} THEN ARRAY[at] END AS chain_${last} FROM hits)`;
  for (let step = last - 1; step >= 1; step--) {
    const none = `ARRAY[${numbers
      .slice(step)
      .map(() => NEVER)
      .join(', ')}]`;
    chains = `(SELECT hit.*, CASE WHEN step_${step} THEN at || coalesce(min(chain_${step + 1}) OVER later, ${none}) END AS chain_${step}
      FROM ${chains} AS hit WINDOW later AS (PARTITION BY visitor ORDER BY at DESC, session DESC, position DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))`;
  }
  const median = (step: number) =>
    step === 1
      ? 'NULL'
      : `percentile_cont(0.5) WITHIN GROUP (ORDER BY (chain[${step}] - chain[${step - 1}])::float8) FILTER (WHERE depth >= ${step})`;
  const text = `WITH hits AS (${hits(plan, { parameters, selection, factsTable })}),
    begun AS (SELECT visitor, value, at, session, position, chain_1 AS chain, width_bucket(at + ${windowMs}, chain_1) AS depth
      FROM ${chains} AS hit WHERE step_1),
    best AS (SELECT DISTINCT ON (visitor) value, chain, depth FROM begun
      ORDER BY visitor, depth DESC, at, session, position)
    SELECT grouping(value) = 1 AS everything, value,
      ARRAY[${numbers.map((step) => `count(*) FILTER (WHERE depth >= ${step})`).join(', ')}] AS visitors,
      ARRAY[${numbers.map(median).join(', ')}]::float8[] AS medians
    FROM best GROUP BY GROUPING SETS ((), (value))
    ORDER BY everything DESC, count(*) DESC, value LIMIT ${parameters.add(limit + 1, 'bigint')}`;
  return { text, values: parameters.values };
}

interface HitsSource extends Pick<Task<Plan>, 'selection' | 'factsTable'> {
  readonly parameters: SqlParameters;
}

/** The events in the range that match a step, each with the steps it matches. */
function hits({ steps, dimension }: Plan, { parameters, selection, factsTable }: HitsSource): string {
  const ofVisit = dimension !== null && isVisitDimension(dimension);
  const ofEvent = dimension !== null && !isVisitDimension(dimension);
  const apart = [
    eventsApart(['event_visitor', ...columnsOfSteps(steps), ...(ofEvent ? columnsOf(dimension) : [])]),
    'generate_subscripts(s.event_offsets, 1) AS position',
    ...(ofVisit ? [`${visitSql(dimension, parameters)} AS value`] : []),
  ];
  const value = ofVisit
    ? 'e.value'
    : ofEvent
      ? eventValueSql(dimension, 'own', { ...selection, parameters })
      : 'NULL';
  const matches = steps.map((step) => stepSql(step, parameters));
  const instant = (epochMs: number) => parameters.add(timestamp(epochMs), 'timestamptz');
  const sessions = matchingSessions(selection, { table: factsTable, parameters });
  const maybe = steps.map(({ match }) => mayMatchSql(match, parameters)).join(' OR ');
  return `SELECT ${EVENT_VISITOR} AS visitor, (extract(epoch FROM ${EVENT_AT}) * 1000)::bigint AS at, e.session, e.position,
      (${value}) COLLATE "C" AS value, ${matches.map((match, index) => `${match} AS step_${index + 1}`).join(', ')}
    FROM (SELECT ${apart.join(', ')} ${sessions} AND (${maybe})) AS e
    WHERE ${EVENT_AT} >= ${instant(selection.range.from)} AND ${EVENT_AT} < ${instant(selection.range.to)}
      AND (${matches.join(' OR ')})`;
}
