// What /docs says about the realtime endpoint. The example is an answer that the code could give.
import type { ApiResponseSchemaHost } from '@nestjs/swagger';
import { REPORT_SCHEMA } from '../query.openapi.js';
import { MINUTE_MS, MINUTES, PANELS, VALUE_NAMES } from './realtime-report.js';
import type { RealtimeReport } from './snapshots.js';

type SchemaObject = Extract<ApiResponseSchemaHost['schema'], { type?: unknown }>;

const text: SchemaObject = { type: 'string' };
const count: SchemaObject = { type: 'integer' };
const TALLY = { visitors: count, pageviews: count, events: count };
const rowsOf = (properties: Record<string, SchemaObject>): SchemaObject => ({
  type: 'array',
  items: { type: 'object', properties: { ...properties, ...TALLY } },
});

export const REALTIME_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['visitors', 'last_30_minutes', 'minutes', ...PANELS, 'meta'],
  properties: {
    visitors: { ...count, description: 'Distinct visitors of the last five minutes.' },
    last_30_minutes: { type: 'object', properties: TALLY },
    minutes: {
      ...rowsOf({ minute: { ...text, format: 'date-time' } }),
      description: 'The thirty minutes (UTC), oldest first; the last is still going on.',
    },
    ...Object.fromEntries(
      PANELS.map((panel) => [
        panel,
        {
          ...rowsOf({ [VALUE_NAMES[panel]]: text }),
          description: 'The ten with most visitors in the thirty minutes.',
        },
      ]),
    ),
    meta: {
      type: 'object',
      properties: {
        at: { ...text, format: 'date-time', description: 'The moment that the numbers are about.' },
        watermark: {
          ...text,
          format: 'date-time',
          nullable: true,
          description: 'Everything received up to here is in the numbers.',
        },
        lag_ms: { type: 'number', nullable: true },
        projection: { ...text, example: 'sessions@1' },
        incomplete: (REPORT_SCHEMA.properties!.meta as SchemaObject).properties!.incomplete!,
      },
    },
  },
};

const NOW = Date.UTC(2026, 10, 21, 10, 29, 40, 120);
const here = { visitors: 1, pageviews: 2, events: 3 };

export const REALTIME_EXAMPLE: RealtimeReport = {
  visitors: 1,
  last_30_minutes: here,
  minutes: Array.from({ length: MINUTES }, (_, index) => ({
    minute: `${new Date(NOW - (NOW % MINUTE_MS) - (MINUTES - 1 - index) * MINUTE_MS).toISOString().slice(0, 19)}Z`,
    ...(index === MINUTES - 2 ? here : { visitors: 0, pageviews: 0, events: 0 }),
  })),
  pages: [
    { page: '/pricing', visitors: 1, pageviews: 1, events: 2 },
    { page: '/', visitors: 1, pageviews: 1, events: 1 },
  ],
  sources: [{ source: 'Google', ...here }],
  countries: [{ country: 'DE', ...here }],
  devices: [{ device: 'Desktop', ...here }],
  meta: {
    at: new Date(NOW).toISOString(),
    watermark: new Date(NOW - 1_120).toISOString(),
    lag_ms: 1_120,
    projection: 'sessions@1',
  },
};

export const EVENT_STREAM_EXAMPLE = `retry: 2718

id: 0vR3mGqKJw1nZbT5cXyHs8uLpQe
data: {"visitors":1,"last_30_minutes":{"visitors":1,"pageviews":2,"events":3},"minutes":[…],…}

:

`;
