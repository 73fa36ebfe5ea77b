// The shape and limits of one event of POST /v1/events: the compiled check of the hot path and the
// text of the OpenAPI document come from this one schema. Nothing is coerced, the first fault is
// told, unknown fields are ignored (a newer client may know more than this server).
import { Ajv, type ErrorObject } from 'ajv';
import { CONSENTS } from '../../events/site.events.js';
import type { RejectionReason } from './verdict.js';

/** Identifiers must come back as they were sent, so what PostgreSQL cannot store is refused. */
const STORABLE = '^[^\\0\\uD800-\\uDFFF]*$';

const identifier = (charactersMax: number, description: string) => ({
  type: 'string',
  minLength: 1,
  maxLength: charactersMax,
  pattern: STORABLE,
  description,
});
const text = (charactersMax: number, description: string) => ({
  type: 'string',
  maxLength: charactersMax,
  description,
});

export const NATIVE_EVENT_SCHEMA = {
  type: 'object',
  properties: {
    site: text(253, 'Site id or domain. May be absent where the key belongs to one site.'),
    id: identifier(
      64,
      'Idempotency key within the site, a UUID by preference. Made by the server if absent.',
    ),
    name: { ...identifier(120, 'What happened.'), default: 'pageview' },
    url: text(2048, 'Absolute http(s) URL of the page. May be absent only with `ingest:server`.'),
    referrer: text(2048, 'Where the visitor came from.'),
    title: text(512, "The page's title."),
    occurredAt: {
      type: ['string', 'number'],
      maxLength: 40,
      description:
        'ISO 8601 (UTC unless it has an offset) or epoch milliseconds; default: receipt. Without `ingest:server` honoured from 24 h ago to 5 min ahead, else the time of receipt is used.',
    },
    props: {
      type: 'object',
      maxProperties: 30,
      propertyNames: {
        minLength: 1,
        maxLength: 300,
        pattern: STORABLE,
        not: { enum: ['__proto__', 'constructor', 'prototype'] },
      },
      additionalProperties: { type: ['string', 'number', 'boolean'], maxLength: 2000 },
      description: "The event's own properties.",
    },
    revenue: {
      type: 'object',
      required: ['amount', 'currency'],
      properties: {
        amount: { type: ['string', 'number'], maxLength: 40 },
        currency: { type: 'string', pattern: '^[A-Za-z]{3}$', description: 'ISO 4217.' },
      },
    },
    interactive: { type: 'boolean', default: true, description: 'False: does not end a bounce.' },
    engagementMs: { type: 'integer', minimum: 0, maximum: 86_400_000 },
    scrollDepth: { type: 'integer', minimum: 0, maximum: 100 },
    visitorId: identifier(
      256,
      "The client's own id of the visitor. Only with `ingest:server`, or with full consent (the site's `consentMode`).",
    ),
    previousVisitorId: identifier(
      256,
      'The id the same visitor had just before a daily rotation of your own ids, so that a session survives it. Wherever `visitorId` may stand.',
    ),
    userId: identifier(256, 'The signed-in user. Only with `ingest:server`.'),
    ip: {
      type: 'string',
      maxLength: 45,
      description: "The visitor's address, never stored. Only with `ingest:server`.",
    },
    userAgent: text(8192, 'Cut to 512 characters. Only with `ingest:server`.'),
    clientHints: {
      type: 'object',
      properties: {
        brands: text(256, 'Sec-CH-UA'),
        fullVersions: text(256, 'Sec-CH-UA-Full-Version-List'),
        platform: text(256, 'Sec-CH-UA-Platform'),
        platformVersion: text(256, 'Sec-CH-UA-Platform-Version'),
        mobile: text(256, 'Sec-CH-UA-Mobile'),
        model: text(256, 'Sec-CH-UA-Model'),
      },
      description:
        "The visitor's browser's headers of these names, unchanged. Only with `ingest:server`; of a browser's own request the headers are taken.",
    },
    language: text(35, 'BCP 47.'),
    screen: text(32, 'Such as 1920x1080.'),
    consent: {
      enum: CONSENTS,
      description:
        "What the visitor allows, where that is known: nothing, so that the event is not kept; counting without an id that lasts; or a `visitorId`. Default: the site's `consentMode`.",
    },
  },
} as const;

/** Undefined: the input is of the shape of NativeEvent. */
export type FieldCheck = (input: unknown) => FieldFault | undefined;

export interface FieldFault {
  readonly reason: RejectionReason;
  readonly detail: string;
}

export function compileFieldCheck(): FieldCheck {
  const ajv = new Ajv({
    allowUnionTypes: true,
    strict: true,
    // Lengths in UTF-16 units, as JavaScript counts them: no walk over every string.
    unicode: false,
    useDefaults: false,
    logger: false,
  });
  const check = ajv.compile(NATIVE_EVENT_SCHEMA);
  return (input) => (check(input) ? undefined : faultOf(check.errors![0]!));
}

function faultOf(error: ErrorObject): FieldFault {
  const [, field = '', ...rest] = error.instancePath.split('/');
  // A name in the middle of a path is the client's own text: a property's key is not repeated.
  const path = field === 'props' && rest.length > 0 ? 'a property' : [field, ...rest].join('.');
  return { reason: reasonOf(field, error.keyword), detail: `${path || 'the event'} ${error.message}` };
}

function reasonOf(field: string, keyword: string): RejectionReason {
  if (field === '') return 'event_invalid';
  if (keyword === 'pattern' && field !== 'revenue') return 'text_invalid';
  if (keyword === 'maxLength' && (field === 'name' || field === 'url')) return `${field}_too_long`;
  return INVALID[field as keyof typeof NATIVE_EVENT_SCHEMA.properties];
}

const INVALID: Record<keyof typeof NATIVE_EVENT_SCHEMA.properties, RejectionReason> = {
  site: 'site_invalid',
  id: 'id_invalid',
  name: 'name_invalid',
  url: 'url_invalid',
  referrer: 'referrer_invalid',
  title: 'title_invalid',
  occurredAt: 'occurred_at_invalid',
  props: 'props_invalid',
  revenue: 'revenue_invalid',
  interactive: 'interactive_invalid',
  engagementMs: 'engagement_ms_invalid',
  scrollDepth: 'scroll_depth_invalid',
  visitorId: 'visitor_id_invalid',
  previousVisitorId: 'previous_visitor_id_invalid',
  userId: 'user_id_invalid',
  ip: 'ip_invalid',
  userAgent: 'user_agent_invalid',
  clientHints: 'client_hints_invalid',
  language: 'language_invalid',
  screen: 'screen_invalid',
  consent: 'consent_invalid',
};
