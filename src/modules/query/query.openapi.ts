// What /docs says about the query endpoint. The request's schema is the one that checks it.
import type { ApiResponseSchemaHost } from '@nestjs/swagger';
import { z } from 'zod';
import { reportRequestSchema } from './report-request.js';

type SchemaObject = Extract<ApiResponseSchemaHost['schema'], { type?: unknown }>;

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
};

const text: SchemaObject = { type: 'string' };
const number: SchemaObject = { type: 'number' };

export const REPORT_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['results', 'meta', 'query'],
  properties: {
    results: {
      type: 'array',
      items: {
        type: 'object',
        properties: { dimensions: { type: 'array', items: text }, metrics: { type: 'array', items: number } },
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
        sampled: { type: 'boolean' },
        source: { ...text, enum: ['rollup', 'facts'] },
        bots: { ...text, enum: ['excluded', 'included'] },
        approximate: {
          type: 'object',
          description: 'Estimated metrics with their standard error.',
          additionalProperties: number,
        },
        time_labels: { type: 'array', items: text },
        total_rows: number,
      },
    },
    query: QUERY_SCHEMA,
  },
};
