// Journeys: which pages visits came from and went on to, step by step around a page. A visit counts once, at
// its first view of the page in the range; a page viewed again and again in a row is one step.
import { z } from 'zod';
import { EVENT_AT, EVENT_NAME, eventsApart } from '../facts/events-apart.js';
import { matchingSessions } from '../facts/session-selection.js';
import { SqlParameters, type Statement, timestamp } from '../facts/sql-parameters.js';
import { percentOf } from '../reporting/percent.js';
import { defineReport, type Task } from '../reporting/report-definition.js';
import { mayMatchSql, stepSql } from '../reporting/step.js';
import { pagePath } from '../saved/goal-match.js';
import { eventSql } from '../vocabulary/dimensions.js';
import type { FunnelStep } from '../vocabulary/site-definitions.js';

const STEPS_MAX = 5;
const STEPS = 3;
const PAGES_MAX = 50;
const PAGES = 10;

/** No path looks like these: paths begin with a slash. */
const START = '(start)';
const END = '(end)';
const OTHER = '(other)';

interface Plan {
  readonly page: string;
  readonly before: number;
  readonly after: number;
  readonly limit: number;
}

const stepNumber = z
  .int()
  .meta({ description: 'Negative: before the page; 0: the page; positive: after it.' });
const visits = z.int();

const results = z.strictObject({
  visits: z.int().meta({ description: 'Visits that viewed the page in the date range.' }),
  steps: z.array(
    z.strictObject({
      step: stepNumber,
      pages: z.array(z.strictObject({ page: z.string(), visits, percentage: z.number() })).meta({
        description:
          'Largest first. `(start)`: the visit began with the step after; `(end)`: it ended with the step before; `(other)`: all further pages. Percentages are of all visits.',
      }),
    }),
  ),
  links: z
    .array(z.strictObject({ step: stepNumber, from: z.string(), to: z.string(), visits }))
    .meta({ description: 'From a page of `step` to one of the step after it.' }),
});
type Results = z.output<typeof results>;

const steps = z.int().min(0).max(STEPS_MAX).default(STEPS);

export const journeys = defineReport({
  name: 'journeys',
  summary: 'Ask how visits get to a page and where they go from there',
  description:
    'The most frequent pages of each step before and after a page, and the links between them. Each visit counts once, at its first view of the page in the date range, with all its pageviews; the same page several times in a row is one step. Filters and bots choose the visits that take part.',
  parameters: {
    page: pagePath.meta({
      description: 'Path of the page; `*` stands for any characters.',
      example: '/pricing',
    }),
    before: steps.meta({ description: 'Steps before the page.' }),
    after: steps.meta({ description: 'Steps after the page.' }),
    limit: z
      .int()
      .min(1)
      .max(PAGES_MAX)
      .default(PAGES)
      .meta({ description: 'Pages of each step; the others are `(other)`.' }),
  },
  examples: {
    pricing: {
      summary: 'What leads to the prices, and what follows',
      value: { date_range: '30d', page: '/pricing', before: 2, after: 2, limit: 5 },
    },
  },
  results,

  plan: (parameters) => ({ plan: parameters, echo: parameters }),

  async run(task: Task<Plan>): Promise<Results> {
    const { text, values } = journeysStatement(task);
    const { rows } = await task.client.query<Row>(text, [...values]);
    return resultsOf(rows, task.plan);
  },

  table: ({ steps }) => ({
    columns: ['step', 'page', 'visits', 'percentage'],
    rows: steps.flatMap(({ step, pages }) =>
      pages.map(({ page, visits, percentage }) => [step, page, visits, percentage]),
    ),
  }),
});

interface Row {
  /** Counted from 1 for the first step before the page. */
  readonly place: number;
  readonly page: string;
  /** Null: not a link, the page itself. */
  readonly next: string | null;
  readonly visits: string;
}

function resultsOf(rows: readonly Row[], { before, after }: Plan): Results {
  const counted = rows.map((row) => ({ ...row, step: row.place - 1 - before, visits: Number(row.visits) }));
  const pagesOf = (step: number) => counted.filter((row) => row.next === null && row.step === step);
  const visits = pagesOf(0).reduce((sum, row) => sum + row.visits, 0);
  return {
    visits,
    steps: Array.from({ length: before + 1 + after }, (_, index) => index - before).map((step) => ({
      step,
      pages: pagesOf(step).map((row) => ({
        page: row.page,
        visits: row.visits,
        percentage: percentOf(row.visits, visits),
      })),
    })),
    links: counted.flatMap(({ step, page, next, visits }) =>
      next === null ? [] : [{ step, from: page, to: next, visits }],
    ),
  };
}

/** Visits → their pages in order → the stretch around the page, equal ones counted together → pages and links. */
function journeysStatement({ selection, factsTable, plan }: Task<Plan>): Statement {
  const { page, before, after, limit } = plan;
  const parameters = new SqlParameters();
  const instant = (epochMs: number) => parameters.add(timestamp(epochMs), 'timestamptz');
  const viewed: FunnelStep = { name: page, match: { kind: 'page', page, props: {} } };
  const inRange = `${EVENT_AT} >= ${instant(selection.range.from)} AND ${EVENT_AT} < ${instant(selection.range.to)}`;
  const sessions = matchingSessions(selection, { table: factsTable, parameters });
  const width = before + 1 + after;
  const places = Array.from({ length: width }, (_, index) => index + 1);
  const stretch = places.map((place) => {
    const own = `middle + ${place - 1 - before}`;
    return `CASE ${own} WHEN 0 THEN '${START}' WHEN cardinality(pages) + 1 THEN '${END}' ELSE pages[${own}] END`;
  });
  const names = places.map((place) => {
    const page = `stretch[${place}]`;
    const shown = `${page} IN ('${START}', '${END}') OR ${page} = ANY ((SELECT pages FROM top WHERE place = ${place})::text[])`;
    return `CASE WHEN ${page} IS NULL OR ${shown} THEN ${page} ELSE '${OTHER}' END`;
  });
  const text = `WITH visits AS (SELECT (
        SELECT CASE WHEN middle IS NOT NULL THEN ARRAY[${stretch.join(', ')}] END
        FROM (SELECT array_agg(page ORDER BY position) FILTER (WHERE moved) AS pages, min(step) FILTER (WHERE wanted) AS middle
          FROM (SELECT *, count(*) FILTER (WHERE moved) OVER (ORDER BY position) AS step
            FROM (SELECT *, page IS DISTINCT FROM lag(page) OVER (ORDER BY position) AS moved
              FROM (SELECT e.position, ${eventSql('event:page', 'own', parameters)} AS page,
                  ${stepSql(viewed, parameters)} AND ${inRange} AS wanted
                FROM (SELECT ${eventsApart(['page'])}, generate_subscripts(s.event_offsets, 1) AS position) AS e
                WHERE ${EVENT_NAME} = 'pageview') AS views) AS moves) AS steps) AS path
      ) AS stretch ${sessions} AND ${mayMatchSql(viewed.match, parameters)}),
    stretches AS (SELECT stretch, count(*) AS visits FROM visits WHERE stretch IS NOT NULL GROUP BY stretch),
    pages AS (SELECT place, page, sum(visits) AS visits
      FROM stretches, unnest(stretch) WITH ORDINALITY AS places(page, place)
      WHERE page IS NOT NULL GROUP BY place, page),
    top AS (SELECT place, array_agg(page) AS pages
      FROM (SELECT *, row_number() OVER (PARTITION BY place ORDER BY visits DESC, page COLLATE "C") AS rank
        FROM pages WHERE page NOT IN ('${START}', '${END}')) AS ranked
      WHERE rank <= ${parameters.add(limit, 'bigint')} GROUP BY place),
    named AS (SELECT ARRAY[${names.join(', ')}] AS stretch, sum(visits) AS visits FROM stretches GROUP BY 1)
    SELECT * FROM (
      SELECT place, page, NULL AS next, sum(visits) AS visits
      FROM named, unnest(stretch) WITH ORDINALITY AS places(page, place) WHERE page IS NOT NULL GROUP BY place, page
      UNION ALL
      SELECT place, page, next, sum(visits)
      FROM named, unnest(stretch[:${width - 1}], stretch[2:]) WITH ORDINALITY AS places(page, next, place)
      WHERE page IS NOT NULL AND next IS NOT NULL GROUP BY place, page, next) AS answer
    ORDER BY place, page = '${OTHER}', visits DESC, page COLLATE "C", next COLLATE "C"`;
  return { text, values: parameters.values };
}
