// What /docs says about a report: the schemas that check its requests and describe its results.
import { z } from 'zod';
import { REPORT_SCHEMA } from '../query.openapi.js';
import type { SchemaObject } from '../schema-object.js';
import type { Report } from './report-definition.js';

const META = ['watermark', 'lag_ms', 'projection', 'sampled', 'source', 'bots', 'incomplete'];

export const requestSchemaOf = ({ request }: Report): SchemaObject => schemaOf(request, 'input');

export function answerSchemaOf({ request, results }: Report): SchemaObject {
  const meta = REPORT_SCHEMA.properties!.meta as SchemaObject;
  const known = Object.entries(meta.properties!).filter(([name]) => META.includes(name));
  return {
    type: 'object',
    required: ['results', 'meta', 'query'],
    properties: {
      results: schemaOf(results, 'output'),
      meta: { ...meta, properties: Object.fromEntries(known) },
      query: schemaOf(request, 'input'),
    },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): SchemaObject {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'openapi-3.0',
  });
  return described as SchemaObject;
}
