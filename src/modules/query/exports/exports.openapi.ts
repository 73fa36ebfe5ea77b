// What /docs says about exports. The request's schema is the one that checks it.
import { z } from 'zod';
import type { SchemaObject } from '../schema-object.js';
import { exportRequestSchema } from './export-request.js';

const { $schema: _, ...schema } = z.toJSONSchema(exportRequestSchema, {
  io: 'input',
  unrepresentable: 'any',
  target: 'openapi-3.0',
});

export const EXPORT_SCHEMA = schema as SchemaObject;

export const EXPORT_EXAMPLES = {
  events: {
    summary: 'All events of two weeks as lines of JSON',
    value: { what: 'events', format: 'ndjson', date_range: ['2026-11-01', '2026-11-14'] },
  },
  sessions: {
    summary: 'Sessions of the last year from two countries as Parquet',
    value: {
      what: 'sessions',
      format: 'parquet',
      date_range: '12mo',
      filters: [['is', 'visit:country', ['DE', 'AT']]],
    },
  },
  purchases: {
    summary: 'Purchases of this month',
    value: { what: 'events', date_range: 'month', filters: [['is', 'event:name', ['Purchase']]] },
  },
};
