// What /docs says about the Data API's paths. The requests' schemas are those that check them.
import type { ApiResponseSchemaHost } from '@nestjs/swagger';
import { z } from 'zod';
import { batchRequestSchema, realtimeRequestSchema, reportRequestSchema } from './ga4-request.js';

type SchemaObject = Extract<ApiResponseSchemaHost['schema'], { type?: unknown }>;

function schemaOf(schema: z.ZodType): SchemaObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'openapi-3.0',
  });
  return rest as SchemaObject;
}

export const REPORT_SCHEMA = schemaOf(reportRequestSchema);
export const REALTIME_SCHEMA = schemaOf(realtimeRequestSchema);
export const BATCH_SCHEMA = schemaOf(batchRequestSchema);

export const REPORT_EXAMPLES = {
  pages: {
    summary: 'Pages of the last week by views, from two countries',
    value: {
      dateRanges: [{ startDate: '7daysAgo', endDate: 'yesterday' }],
      dimensions: [{ name: 'pagePath' }],
      metrics: [{ name: 'screenPageViews' }, { name: 'activeUsers' }, { name: 'engagementRate' }],
      dimensionFilter: {
        filter: { fieldName: 'countryId', inListFilter: { values: ['DE', 'AT'] } },
      },
      limit: '10',
    },
  },
  months: {
    summary: 'Two months side by side, with totals',
    value: {
      dateRanges: [
        { startDate: '2026-10-01', endDate: '2026-10-31', name: 'october' },
        { startDate: '2026-09-01', endDate: '2026-09-30', name: 'september' },
      ],
      dimensions: [{ name: 'sessionDefaultChannelGroup' }],
      metrics: [{ name: 'sessions' }, { name: 'bounced', expression: 'sessions - engagedSessions' }],
      metricAggregations: ['TOTAL'],
    },
  },
};

export const BATCH_EXAMPLES = {
  both: {
    summary: 'Both of these at once',
    value: { requests: Object.values(REPORT_EXAMPLES).map(({ value }) => value) },
  },
};

export const REALTIME_EXAMPLES = {
  minutes: {
    summary: 'Visitors of the last 30 minutes, minute by minute',
    value: {
      dimensions: [{ name: 'minutesAgo' }],
      metrics: [{ name: 'activeUsers' }],
      orderBys: [{ dimension: { dimensionName: 'minutesAgo' } }],
    },
  },
};

const text: SchemaObject = { type: 'string' };
const values: SchemaObject = { type: 'array', items: { type: 'object', properties: { value: text } } };
const rows: SchemaObject = {
  type: 'array',
  items: { type: 'object', properties: { dimensionValues: values, metricValues: values } },
};

export const REPORT_ANSWER_SCHEMA: SchemaObject = {
  type: 'object',
  properties: {
    dimensionHeaders: { type: 'array', items: { type: 'object', properties: { name: text } } },
    metricHeaders: {
      type: 'array',
      items: { type: 'object', properties: { name: text, type: { ...text, example: 'TYPE_INTEGER' } } },
    },
    rows,
    totals: rows,
    maximums: rows,
    minimums: rows,
    rowCount: { type: 'integer', description: 'Of all rows, whatever limit and offset are.' },
    metadata: { type: 'object', properties: { currencyCode: text, timeZone: text } },
    propertyQuota: { type: 'object' },
    kind: { ...text, example: 'analyticsData#runReport' },
  },
};

const DESCRIBED = { apiName: text, uiName: text, description: text, category: text };
const described = (properties: Record<string, SchemaObject>): SchemaObject => ({
  type: 'array',
  items: { type: 'object', properties },
});

export const METADATA_SCHEMA: SchemaObject = {
  type: 'object',
  properties: {
    name: text,
    dimensions: described(DESCRIBED),
    metrics: described({
      ...DESCRIBED,
      type: text,
      expression: text,
      deprecatedApiNames: { type: 'array', items: text },
    }),
  },
};

export const ERROR_SCHEMA: SchemaObject = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: { type: 'integer' },
        message: text,
        status: { ...text, example: 'INVALID_ARGUMENT' },
      },
    },
  },
};
