// What /docs says about the query endpoint. The request's schema is the one that checks it.
import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiParam, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { ApiProblems } from '../auth/api-answers.js';
import { ApiAccepted } from './jobs/jobs.openapi.js';
import { ANSWER_SOURCES } from './report.js';
import { reportRequestSchema } from './request/report-request.js';
import type { SchemaObject } from './schema-object.js';

const { $schema: _, ...requestSchema } = z.toJSONSchema(reportRequestSchema, {
  io: 'input',
  unrepresentable: 'any',
  target: 'openapi-3.0',
});

export const QUERY_SCHEMA = requestSchema as SchemaObject;

export const QUERY_EXAMPLES = {
  series: {
    summary: 'Visitors and pageviews per day of the last 30 days',
    value: { metrics: ['visitors', 'pageviews'], date_range: '30d', dimensions: ['time:day'] },
  },
  sources: {
    summary: 'Where visits from two countries came from',
    value: {
      metrics: ['visits', 'bounce_rate'],
      date_range: '7d',
      dimensions: ['visit:source'],
      filters: [['is', 'visit:country', ['DE', 'AT']]],
      pagination: { limit: 10 },
    },
  },
  pages: {
    summary: 'Pages of the blog in November',
    value: {
      metrics: ['visitors', 'pageviews', 'bounce_rate'],
      date_range: ['2026-11-01', '2026-11-20'],
      dimensions: ['event:page'],
      filters: [['contains', 'event:page', ['/blog'], { case_sensitive: false }]],
      order_by: [['pageviews', 'desc']],
      include: { total_rows: true },
    },
  },
  today: {
    summary: 'Today by the hour so far, beside the same weekday a week ago',
    value: {
      metrics: ['visitors', 'visits'],
      date_range: 'day',
      dimensions: ['time:hour'],
      include: {
        compare: 'previous_period',
        compare_match_day_of_week: true,
        trim_relative_date_range: true,
        fill: true,
        time_labels: true,
      },
    },
  },
  yearOverYear: {
    summary: 'Countries of this year so far, beside last year, and the totals of both',
    value: {
      metrics: ['visitors', 'visits', 'bounce_rate'],
      date_range: 'year',
      dimensions: ['visit:country'],
      include: { compare: 'year_over_year', totals: true },
      pagination: { limit: 20 },
    },
  },
  minutes: {
    summary: 'Half an hour, minute by minute',
    value: {
      metrics: ['pageviews', 'events'],
      date_range: ['2026-11-20T14:00:00+01:00', '2026-11-20T14:30:00+01:00'],
      dimensions: ['time:minute'],
      include: { fill: true },
    },
  },
  segment: {
    summary: 'Weeks that begin on Sunday, of a saved segment (by the id of yours) without one campaign',
    value: {
      metrics: ['visitors', 'visit_duration'],
      date_range: '91d',
      dimensions: ['time:week'],
      week_start: 'sunday',
      filters: [
        ['is', 'segment', ['sg7Gk2mQx9RtP']],
        ['not', ['matches', 'visit:utm_campaign', ['^spring']]],
      ],
    },
  },
  buyers: {
    summary: 'What else visits looked at that came to buy',
    value: {
      metrics: ['visits', 'pageviews'],
      date_range: '30d',
      dimensions: ['event:page'],
      filters: [['has_done', ['is', 'event:name', ['Purchase']]]],
      order_by: [['visits', 'desc']],
      pagination: { limit: 50, offset: 0 },
    },
  },
};

const text: SchemaObject = { type: 'string' };
const number: SchemaObject = { type: 'number' };
const list = (items: SchemaObject): SchemaObject => ({ type: 'array', items });

const METRIC_VALUE: SchemaObject = {
  nullable: true,
  description: 'Null: nothing can be said.',
  oneOf: [
    number,
    {
      type: 'object',
      required: ['value', 'currency'],
      properties: { value: number, currency: { ...text, example: 'EUR' } },
    },
  ],
};

const metrics = list(METRIC_VALUE);

const comparison: SchemaObject = {
  type: 'object',
  description: 'The same in the range compared with.',
  properties: {
    metrics,
    change: {
      ...list({ ...number, nullable: true }),
      description: 'Whole percent; points of bounce_rate and conversion rates.',
    },
  },
};

export const REPORT_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['results', 'meta', 'query'],
  properties: {
    results: {
      type: 'array',
      items: {
        type: 'object',
        properties: { dimensions: list(text), metrics, comparison },
      },
    },
    meta: {
      type: 'object',
      properties: {
        watermark: {
          ...text,
          format: 'date-time',
          nullable: true,
          description: 'Everything received up to here is in the numbers.',
        },
        lag_ms: { ...number, nullable: true },
        projection: { ...text, example: 'traffic@1' },
        sampled: { type: 'boolean', description: 'Whether only some visitors were counted.' },
        sample_rate: { ...number, description: 'Share of the visitors that were counted.' },
        sample_error: {
          ...number,
          description:
            'Standard error of `visitors` in the smallest group of the answer, as a fraction; larger groups have a smaller one.',
        },
        source: { ...text, enum: [...ANSWER_SOURCES] },
        incomplete: {
          ...list({
            type: 'object',
            required: ['from', 'to', 'policy'],
            properties: {
              from: { ...text, format: 'date-time' },
              to: { ...text, format: 'date-time' },
              policy: { ...text, enum: ['hide', 'sample'] },
              share: { ...number, description: 'Of the visitors, that were taken.' },
            },
          }),
          description:
            'Times of the range in which the merchant was over its quota: visits that began then are left out (`hide`), or only some visitors were taken (`sample`). Else left out. With CSV in the header `Tidemark-Incomplete`.',
        },
        other_row: {
          type: 'boolean',
          description:
            'True where the row `(other)` stands for values that were rare on their day. Else left out.',
        },
        bots: { ...text, enum: ['excluded', 'included'] },
        approximate: {
          type: 'object',
          description: 'Estimated metrics with their standard error.',
          additionalProperties: number,
        },
        metric_warnings: {
          type: 'object',
          description: 'Metrics that could not be told of some row, and why.',
          additionalProperties: { type: 'object', properties: { code: text, warning: text } },
        },
        time_labels: list(text),
        comparison_date_range: list(text),
        comparison_time_labels: list(text),
        totals: {
          type: 'object',
          description: 'The whole range without dimensions.',
          properties: { metrics, comparison },
        },
        total_rows: number,
      },
    },
    query: QUERY_SCHEMA,
  },
};

interface DescribedReport {
  readonly request: SchemaObject;
  readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
  readonly answer: SchemaObject;
}

/** Documents what every endpoint that answers a question takes and answers. */
export const ApiReport = ({ request, examples, answer }: DescribedReport) =>
  applyDecorators(
    ApiParam({ name: 'site', description: 'Id or domain of the site.', example: 'shop.example' }),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'An ETag: 304 while the numbers are the same.',
    }),
    ApiHeader({ name: 'Accept', required: false, description: '`text/csv` gives CSV.' }),
    ApiHeader({
      name: 'Prefer',
      required: false,
      description:
        '`respond-async`: a job answers, which may take longer than a request (`JOB_QUERY_TIMEOUT_MS`).',
    }),
    ApiBody({ schema: request, examples }),
    ApiAccepted('With `Prefer: respond-async`: a job, whose result is what would have been answered here.'),
    ApiResponse({ status: 200, content: { 'application/json': { schema: answer }, 'text/csv': {} } }),
    ApiResponse({ status: 304, description: 'The numbers are those of the ETag.' }),
    ApiProblems({
      400: 'Unknown name or impossible combination; `errors` names the path.',
      404: 'No such site, or not one the key may read.',
      422: 'Too costly; `detail` says what to narrow.',
    }),
  );
