// What /docs says about Plausible's endpoints.
import { applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiOperation,
  ApiQuery,
  type ApiQueryOptions,
  type ApiResponseSchemaHost,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { reportRequestSchema } from '../../request/report-request.js';
import { PERIODS } from './v1-periods.js';
import { LIMIT_MAX, V1_METRICS } from './v1-translation.js';
import { v2Include } from './v2-translation.js';

type SchemaObject = Extract<ApiResponseSchemaHost['schema'], { type?: unknown }>;

const TAG = 'Plausible';

const { metrics, date_range, dimensions, filters, order_by, pagination } = reportRequestSchema.shape;
const { $schema: _, ...v2Schema } = z.toJSONSchema(
  z.strictObject({
    site_id: z
      .string()
      .meta({ description: 'Domain, id or tracking id of the site.', examples: ['shop.example'] }),
    metrics,
    date_range: date_range.meta({
      description: 'As in the native query; of two date-times the second is included.',
    }),
    dimensions,
    filters,
    order_by,
    include: v2Include.prefault({}),
    pagination,
  }),
  { io: 'input', unrepresentable: 'any', target: 'openapi-3.0' },
);

const ERROR: SchemaObject = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string' } },
};

const errorResponses = () =>
  applyDecorators(
    ApiResponse({
      status: 400,
      description: 'Not understood, or too costly; `error` says what.',
      schema: ERROR,
    }),
    ApiResponse({ status: 401, description: 'No such key, or no such site for it.', schema: ERROR }),
    ApiResponse({
      status: 429,
      description: 'Too many requests in a minute; again after Retry-After.',
      schema: ERROR,
    }),
  );

export const DescribesV2 = () =>
  applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      summary: 'Plausible Stats API v2',
      description:
        "For clients of Plausible: the native query's vocabulary, with the site in the body, and answers and errors in that vendor's form.",
    }),
    ApiBody({
      schema: v2Schema as SchemaObject,
      examples: {
        series: {
          summary: 'Visitors per day',
          value: {
            site_id: 'shop.example',
            metrics: ['visitors', 'bounce_rate'],
            date_range: '7d',
            dimensions: ['time:day'],
            include: { time_labels: true },
          },
        },
        sources: {
          summary: 'Sources of visits to the blog',
          value: {
            site_id: 'shop.example',
            metrics: ['visitors', 'visits'],
            date_range: ['2026-11-01', '2026-11-20'],
            dimensions: ['visit:source'],
            filters: [['contains', 'event:page', ['/blog']]],
            order_by: [['visits', 'desc']],
            include: { total_rows: true },
            pagination: { limit: 10, offset: 0 },
          },
        },
      },
    }),
    ApiResponse({
      status: 200,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['results', 'meta', 'query'],
            properties: {
              results: { type: 'array', items: { type: 'object' } },
              meta: { type: 'object' },
              query: { type: 'object' },
            },
          },
          example: {
            results: [{ dimensions: ['Google'], metrics: [812, 1004] }],
            meta: { total_rows: 1 },
            query: {
              site_id: 'shop.example',
              metrics: ['visitors', 'visits'],
              date_range: ['2026-11-01T00:00:00+00:00', '2026-11-20T23:59:59+00:00'],
              filters: [['contains', 'event:page', ['/blog']]],
              dimensions: ['visit:source'],
              order_by: [['visits', 'desc']],
              include: { total_rows: true },
              pagination: { offset: 0, limit: 10 },
            },
          },
        },
      },
    }),
    errorResponses(),
  );

const text = (name: string, description: string, example: string): ApiQueryOptions => ({
  name,
  description,
  required: false,
  schema: { type: 'string', example },
});

const SITE_ID: ApiQueryOptions = {
  ...text('site_id', 'Domain, id or tracking id of the site.', 'shop.example'),
  required: true,
};
const ASKED: readonly ApiQueryOptions[] = [
  SITE_ID,
  text('period', `${PERIODS.join(', ')}; by default 30d.`, '7d'),
  text(
    'date',
    'What the period is relative to, by default today; for custom, its first and last day joined by a comma.',
    '2026-11-20',
  ),
  text('metrics', `Joined by commas: ${V1_METRICS.join(', ')}; by default visitors.`, 'visitors,pageviews'),
  text(
    'filters',
    String.raw`property==value and property!=value joined by ;, values by |, * for any characters.`,
    'visit:country==DE|FR;event:page==/blog/**',
  ),
];

interface Described {
  readonly summary: string;
  readonly parameters: readonly ApiQueryOptions[];
  readonly example: unknown;
}

const V1: Readonly<Record<'realtime/visitors' | 'aggregate' | 'timeseries' | 'breakdown', Described>> = {
  'realtime/visitors': { summary: 'Visitors of the last five minutes', parameters: [SITE_ID], example: 21 },
  aggregate: {
    summary: 'Metrics of a period',
    parameters: [...ASKED, text('compare', 'previous_period, or nothing.', 'previous_period')],
    example: { results: { visitors: { value: 812, change: 12, comparison_value: 725 } } },
  },
  timeseries: {
    summary: 'Metrics per hour, day or month',
    parameters: [...ASKED, text('interval', 'day or month; by default what suits the period.', 'day')],
    example: { results: [{ date: '2026-11-13', visitors: 5 }] },
  },
  breakdown: {
    summary: 'Metrics by a property',
    parameters: [
      ...ASKED,
      { ...text('property', 'What to break down by.', 'visit:source'), required: true },
      text('limit', `Rows of a page: at most ${LIMIT_MAX}, by default 100.`, '100'),
      text('page', 'From 1.', '1'),
    ],
    example: { results: [{ source: 'Google', visitors: 812 }] },
  },
};

export function DescribesV1(endpoint: keyof typeof V1): MethodDecorator {
  const { summary, parameters, example } = V1[endpoint];
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({ summary: `Plausible Stats API v1: ${summary.toLowerCase()}` }),
    ...parameters.map((parameter) => ApiQuery(parameter)),
    ApiResponse({ status: 200, content: { 'application/json': { schema: {}, example } } }),
    errorResponses(),
  );
}
