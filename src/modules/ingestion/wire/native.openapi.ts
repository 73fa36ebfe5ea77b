// The OpenAPI schemas of POST /v1/events, made from the schema that checks it.
import type { ApiResponseSchemaHost } from '@nestjs/swagger';
import { NATIVE_EVENT_SCHEMA } from '../native-event.schema.js';
import { REJECTION_REASONS } from '../verdict.js';

type Schema = ApiResponseSchemaHost['schema'];

const EVENT = structuredClone(NATIVE_EVENT_SCHEMA) as unknown as Extract<Schema, { type?: unknown }>;
const EVENTS: Schema = { type: 'array', maxItems: 1000, items: EVENT };

export const EVENTS_BODY_SCHEMA: Schema = {
  oneOf: [
    EVENT,
    EVENTS,
    {
      type: 'object',
      required: ['events'],
      properties: {
        events: EVENTS,
        key: {
          type: 'string',
          description: 'In place of the header: of scope `ingest` alone, as pages show it to everybody.',
        },
        sentAt: {
          type: 'number',
          description:
            "The time of sending by the sender's clock, epoch milliseconds: every `occurredAt` is corrected by what it is wrong.",
        },
      },
    },
  ],
};

const PAGEVIEW = {
  site: 'shop.example',
  url: 'https://shop.example/pricing',
  referrer: 'https://www.google.com/',
};
const ORDER = {
  site: 'shop.example',
  id: '018f6f0a-7c1e-7cc0-8000-5f6a1b2c3d4e',
  name: 'Order',
  url: 'https://shop.example/thanks',
  props: { plan: 'pro', seats: 5 },
  revenue: { amount: '12.50', currency: 'EUR' },
};

export const EVENTS_EXAMPLES = {
  pageview: { summary: 'A page is viewed', value: PAGEVIEW },
  order: { summary: 'A purchase, which counts once however often it is sent', value: ORDER },
  batch: { summary: 'Several at once', value: { events: [PAGEVIEW, ORDER] } },
  page: {
    summary: 'A page, with its public key; sent as text/plain no browser asks before',
    value: { key: 'tm_7Gk2mQx9RtPw3Vb8nYc4Zd6Hf1Js5Kq', sentAt: 1_795_243_027_836, events: [PAGEVIEW] },
  },
};

export const ACCEPTED_SCHEMA: Schema = {
  type: 'object',
  required: ['accepted', 'duplicates', 'rejected'],
  properties: {
    accepted: { type: 'integer', description: 'Durable.' },
    duplicates: { type: 'integer', description: 'Had been received a short while ago under the same id.' },
    dropped: {
      type: 'integer',
      description:
        'Not kept because the browser opted out (Sec-GPC), the visitor gave no consent, or the merchant is over its quota and only a share of the visitors is taken. Absent if none.',
    },
    rejected: {
      type: 'array',
      items: {
        type: 'object',
        required: ['index', 'reason', 'detail'],
        properties: {
          index: { type: 'integer' },
          reason: { type: 'string', enum: [...REJECTION_REASONS] },
          detail: { type: 'string' },
          retryAfterSeconds: { type: 'integer', description: 'Of what would be taken later.' },
        },
      },
    },
  },
};
