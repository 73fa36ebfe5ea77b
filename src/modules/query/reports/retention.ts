// Retention: visitors grouped by the day, week or month of their first event in the range (or of a start of
// the asker's choice), and how many of each group came back in each period after. Periods are those of the
// site's calendar.
import { z } from 'zod';
import { EVENT_AT, EVENT_VISITOR, eventsApart, IS_COUNTED } from '../facts/events-apart.js';
import { matchingSessions } from '../facts/session-selection.js';
import { SqlParameters, type Statement, timestamp } from '../facts/sql-parameters.js';
import { percentOf } from '../reporting/percent.js';
import { defineReport, type Task } from '../reporting/report-definition.js';
import { columnsOfSteps, mayMatchSql, resolveStep, stepSql } from '../reporting/step.js';
import { tooCostly } from '../request/cost.js';
import { weekStartSchema } from '../request/report-request.js';
import { cutIntoBuckets, type TimeBuckets } from '../request/time-buckets.js';
import { type Step, stepSchema } from '../saved/goal-match.js';
import type { FunnelStep } from '../vocabulary/site-definitions.js';

const PERIODS_MAX = 100;

const GRANULARITIES = { day: 'time:day', week: 'time:week', month: 'time:month' } as const;
type Granularity = keyof typeof GRANULARITIES;

interface Plan {
  readonly buckets: TimeBuckets;
  /** Null: any event. */
  readonly start: FunnelStep | null;
  readonly back: FunnelStep | null;
}

const cell = z.strictObject({
  period: z.int().meta({ description: '0: the period of the start itself, 1: the next one, …' }),
  visitors: z.int().meta({ description: 'Visitors of the cohort who returned in this period.' }),
  percentage: z.number().meta({ description: 'Of the visitors of the cohort.' }),
});

const results = z.strictObject({
  cohorts: z.array(
    z.strictObject({
      cohort: z.string().meta({ description: 'First day of the period.', example: '2026-11-02' }),
      visitors: z.int().meta({ description: 'Visitors whose start lies in it.' }),
      periods: z.array(cell).meta({ description: 'Up to the last period of the range.' }),
    }),
  ),
  totals: z.array(cell).meta({ description: 'By period, over all cohorts that are old enough to have it.' }),
});
type Results = z.output<typeof results>;

const step = (meaning: string) =>
  stepSchema.optional().meta({ description: `${meaning} Default: any event.` });

export const retention = defineReport({
  name: 'retention',
  summary: 'Ask how many visitors come back',
  description:
    'Cohorts of visitors by the day, week or month of their first event in the date range, or of the first that matches `start`; and how many of each had an event, or one that matches `return`, in each period after: at the moment of the start or later. Filters and bots choose the visits that take part. Cookieless visitor ids last one day: such visitors never come back, and are a new visitor each day.',
  parameters: {
    granularity: z.enum(Object.keys(GRANULARITIES) as [Granularity, ...Granularity[]]).default('week'),
    week_start: weekStartSchema,
    start: step('What puts a visitor into a cohort, the first time.'),
    return: step('What counts as coming back.'),
  },
  examples: {
    weeks: {
      summary: 'Visitors of each week who came back in the weeks after',
      value: { date_range: '91d', granularity: 'week' },
    },
    buyers: {
      summary: 'Who signed up, and ordered in the months after',
      value: {
        date_range: '12mo',
        granularity: 'month',
        start: { goal: 'Pro signup' },
        return: { eventName: 'Order' },
      },
    },
  },
  results,

  plan(parameters, { selection: { site, range, zone, weekStart: ofSite }, definitions }) {
    const { granularity, week_start = ofSite, start, return: back } = parameters;
    const cut = cutIntoBuckets(GRANULARITIES[granularity], range, { zone, weekStart: week_start });
    if (cut.outcome !== 'cut' || cut.buckets.labels.length > PERIODS_MAX) {
      throw tooCostly(
        'date_range',
        `A retention table has at most ${PERIODS_MAX} periods: narrow the date range or take a coarser granularity.`,
      );
    }
    const goals = definitions.goalsOf(site);
    const resolved = (step: Step | undefined, path: string) =>
      step === undefined ? null : resolveStep(step, path, goals);
    return {
      plan: { buckets: cut.buckets, start: resolved(start, 'start'), back: resolved(back, 'return') },
      echo: { granularity, week_start, ...(start && { start }), ...(back && { return: back }) },
    };
  },

  async run(task: Task<Plan>): Promise<Results> {
    const { text, values } = retentionStatement(task);
    const { rows } = await task.client.query<Row>(text, [...values]);
    return resultsOf(rows, task.plan.buckets.labels);
  },

  table({ cohorts }) {
    return {
      columns: ['cohort', 'cohort_visitors', ...Object.keys(cell.shape)],
      rows: cohorts.flatMap(({ cohort, visitors, periods }) =>
        periods.map((one) => [cohort, visitors, one.period, one.visitors, one.percentage]),
      ),
    };
  },
});

interface Row {
  /** From 1. */
  readonly cohort: number;
  /** Null: the cohort itself. */
  readonly period: number | null;
  readonly visitors: string;
}

function resultsOf(rows: readonly Row[], labels: readonly string[]): Results {
  const key = (cohort: number, period: number | null) => `${cohort} ${period}`;
  const counts = new Map(rows.map(({ cohort, period, visitors }) => [key(cohort, period), Number(visitors)]));
  const count = (cohort: number, period: number | null) => counts.get(key(cohort, period)) ?? 0;
  const numbers = labels.map((_, index) => index + 1);
  const cellOf = (period: number, of: readonly number[]) => {
    const visitors = of.reduce((sum, cohort) => sum + count(cohort, period), 0);
    const started = of.reduce((sum, cohort) => sum + count(cohort, null), 0);
    return { period, visitors, percentage: percentOf(visitors, started) };
  };
  return {
    cohorts: numbers.map((cohort) => ({
      cohort: labels[cohort - 1]!,
      visitors: count(cohort, null),
      periods: numbers.slice(cohort - 1).map((_, period) => cellOf(period, [cohort])),
    })),
    totals: numbers.map((_, period) => cellOf(period, numbers.slice(0, numbers.length - period))),
  };
}

function retentionStatement(task: Task<Plan>): Statement {
  const parameters = new SqlParameters();
  const bounds = parameters.add(task.plan.buckets.bounds.map(timestamp), 'timestamptz[]');
  const text = `WITH acts AS (${acts(task, { parameters, bounds })}),
    active AS (SELECT visitor, period, min(started_at) AS started_at, max(returned_at) AS returned_at
      FROM acts GROUP BY visitor, period),
    begun AS (SELECT visitor, started_at, width_bucket(started_at, ${bounds}) AS cohort
      FROM (SELECT visitor, min(started_at) AS started_at FROM active GROUP BY visitor) AS first
      WHERE started_at IS NOT NULL)
    SELECT cohort, NULL::int AS period, count(*) AS visitors FROM begun GROUP BY cohort
    UNION ALL
    SELECT cohort, period - cohort, count(*) FROM begun JOIN active USING (visitor)
      WHERE active.returned_at >= begun.started_at GROUP BY cohort, period`;
  return { text, values: parameters.values };
}

interface ActsOptions {
  readonly parameters: SqlParameters;
  readonly bounds: string;
}

/** When somebody started and returned: of events, or of whole sessions where any event does and they are in one period. */
function acts({ plan, selection, factsTable }: Task<Plan>, { parameters, bounds }: ActsOptions): string {
  const { start, back, buckets } = plan;
  const steps = [start, back].filter((step) => step !== null);
  const matches = (step: FunnelStep | null) => (step === null ? IS_COUNTED : stepSql(step, parameters));
  const [starts, returns] = [matches(start), matches(back)];
  const periodOf = (instant: string) => `width_bucket(${instant}, ${bounds})`;
  const sessions = matchingSessions(selection, { table: factsTable, parameters });
  const maybe =
    steps.length < 2 ? 'true' : steps.map(({ match }) => mayMatchSql(match, parameters)).join(' OR ');
  const ofEvents = (which: string) => `SELECT ${EVENT_VISITOR} AS visitor, ${periodOf(EVENT_AT)} AS period,
      CASE WHEN ${starts} THEN ${EVENT_AT} END AS started_at, CASE WHEN ${returns} THEN ${EVENT_AT} END AS returned_at
    FROM (SELECT ${eventsApart(['event_visitor', ...columnsOfSteps(steps)])} ${sessions} AND (${which})) AS e
    WHERE (${starts} OR ${returns}) AND ${periodOf(EVENT_AT)} BETWEEN 1 AND ${buckets.labels.length}`;
  if (steps.length > 0) return ofEvents(maybe);
  const whole = `s.event_visitors IS NULL AND ${periodOf('s.started_at')} = ${periodOf('s.ended_at')}
    AND ${periodOf('s.started_at')} BETWEEN 1 AND ${buckets.labels.length}`;
  return `SELECT s.visitor, ${periodOf('s.started_at')} AS period, s.started_at, s.ended_at AS returned_at ${sessions} AND ${whole}
    UNION ALL ${ofEvents(`NOT (${whole})`)}`;
}
