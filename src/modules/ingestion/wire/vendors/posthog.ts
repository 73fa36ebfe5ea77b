// PostHog's capture API: one event, an array or a batch, in a body that may be JSON, a form whose `data` is JSON or
// base64 of it, or gzip of these. Its script asks for settings and flags first, and is told that there are none.
import { Problem } from '../../../../http/problem.js';
import type { ErrorForm } from '../../../../http/route-kind.js';
import {
  type Fields,
  fieldsOf,
  identifier,
  isFields,
  jsonIn,
  LENGTHS,
  millisecondsOf,
  momentOf,
  number,
  propsOf,
  revenueOf,
  text,
  textOfBase64,
  wholeNumber,
} from './fields.js';
import {
  type EventsRoute,
  type Settled,
  type TranslatedEvent,
  type Translation,
  UNCOUNTED,
  type VendorAnswer,
  type VendorFormat,
  type VendorRequest,
} from './vendor-format.js';

const EVENTS_MAX = 2_500;
const ENGAGEMENT_MS_MAX = 86_400_000;
const EVENT_PATHS = ['/i/v0/e', '/e', '/capture', '/track', '/batch'];
const NOT_PROPERTIES = new Set(['token', 'distinct_id']);
const OK: VendorAnswer = { status: 200, body: { status: 'Ok' } };
const NO_FEATURES = {
  supportedCompression: ['gzip', 'gzip-js'],
  sessionRecording: false,
  surveys: false,
  heatmaps: false,
  capturePerformance: false,
  autocaptureExceptions: false,
  autocapture_opt_out: true,
  toolbarParams: {},
  isAuthenticated: false,
  siteApps: [],
};
const NO_FLAGS = {
  ...NO_FEATURES,
  flags: {},
  featureFlags: {},
  featureFlagPayloads: {},
  errorsWhileComputingFlags: false,
};

const errors: ErrorForm = ({ status, detail, title }) => ({
  status,
  body: detail ?? title,
  contentType: 'text/plain',
});

const EVENTS: Omit<EventsRoute, 'method' | 'summary'> = {
  paths: EVENT_PATHS,
  description: 'The project key, `api_key` or `token`, is a key of scope ingest or ingest:server.',
  eventsMax: EVENTS_MAX,
  repeats: true,
  translate,
  answer: ({ accepted, duplicates, dropped, rejected }: Settled) => {
    if (rejected.length === 0 || accepted + duplicates + dropped > 0) return OK;
    throw Problem.badRequest(rejected.map(({ index, detail }) => `event ${index}: ${detail}`).join('; '));
  },
};

const EXAMPLE = {
  event: '$pageview',
  distinct_id: 'd',
  uuid: '01a1fcd2-bf56-7aed-b8d8-59c70f65495f',
  properties: { $current_url: 'https://shop.example/' },
};

export const posthog: VendorFormat = {
  wire: 'posthog',
  title: 'PostHog',
  errors,
  routes: [
    {
      ...EVENTS,
      method: 'POST',
      summary: 'receive events',
      example: { batch: [EXAMPLE], sent_at: '2026-11-21T10:00:00Z' },
    },
    {
      ...EVENTS,
      method: 'GET',
      summary: 'receive an event from an image',
      exampleQuery: { data: Buffer.from(JSON.stringify(EXAMPLE)).toString('base64') },
    },
    {
      method: 'POST',
      paths: ['/flags', '/decide'],
      summary: 'which flags are set: none',
      example: { token: 'tm_…', distinct_id: 'd' },
      settings: () => ({ status: 200, body: NO_FLAGS }),
    },
    {
      method: 'GET',
      paths: ['/array/:key/config'],
      summary: 'the settings of its script: everything but events is off',
      settings: () => ({ status: 200, body: NO_FEATURES }),
    },
    {
      method: 'GET',
      paths: ['/array/:key/config.js'],
      summary: 'the same as a script',
      settings: ({ parameters }) => ({
        status: 200,
        headers: { 'content-type': 'text/javascript; charset=utf-8' },
        body: settingsScript(parameters.key!),
      }),
    },
  ],
};

/** The key comes from the URL of a script: JSON in it must not be able to end the script. */
function settingsScript(key: string): string {
  const settings = { config: { token: key, ...NO_FEATURES }, siteApps: [] };
  const safe = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');
  return `(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};window._POSTHOG_REMOTE_CONFIG[${safe(key)}]=${safe(settings)}})();`;
}

function translate(request: VendorRequest): Translation {
  const sent = bodyOf(request);
  const envelope = isFields(sent) ? sent : {};
  const calls: readonly unknown[] = Array.isArray(sent)
    ? sent
    : Array.isArray(envelope.batch)
      ? envelope.batch
      : [sent];
  const shared = {
    sentAt: millisecondsOf(envelope.sent_at) ?? number(request.query._),
    receivedAt: request.receivedAt,
  };
  const events = calls.map((call) => (isFields(call) ? eventOf(call, shared) : null));
  return { key: keyIn([envelope, ...calls]), events };
}

/** JSON; or a form, or the URL, with `data` that is JSON or base64 of it. */
function bodyOf({ body, query }: VendorRequest): unknown {
  const plain = body.trimStart();
  if (plain.startsWith('{') || plain.startsWith('[')) return jsonIn(plain);
  const data = new URLSearchParams(plain).get('data') ?? query.data ?? '';
  return jsonIn(/^\s*[[{]/.test(data) ? data : textOfBase64(data));
}

function keyIn(places: readonly unknown[]): string | undefined {
  for (const place of places.slice(0, 2)) {
    const { api_key: apiKey, token, properties } = fieldsOf(place);
    const key = text(apiKey ?? token ?? fieldsOf(properties).token, 256);
    if (key !== undefined) return key;
  }
  return undefined;
}

interface Shared {
  readonly sentAt: number | undefined;
  readonly receivedAt: number;
}

function eventOf(call: Fields, { sentAt, receivedAt }: Shared): Translation['events'][number] {
  const given = identifier(call.event, LENGTHS.name);
  const properties = fieldsOf(call.properties);
  if (given === undefined) return null;
  const kind = kindOf(given, properties);
  if (kind === undefined) return UNCOUNTED;
  const visitor = call.distinct_id ?? call.$distinct_id ?? properties.distinct_id;
  const ago = number(call.offset);
  return {
    ...kind,
    id: identifier(call.uuid ?? properties.$insert_id, LENGTHS.id),
    referrer: referrerOf(properties.$referrer),
    title: text(properties.title ?? properties.$title, LENGTHS.title),
    occurredAt:
      ago === undefined ? momentOf(millisecondsOf(call.timestamp), sentAt, receivedAt) : receivedAt - ago,
    visitorId: identifier(visitor, LENGTHS.visitorId),
    userId: identifier(properties.$user_id, LENGTHS.userId),
    ip: text(properties.$ip, 45),
    userAgent: text(properties.$raw_user_agent ?? properties.$user_agent, 512),
    language: text(properties.$browser_language, LENGTHS.language),
    screen: screenOf(properties),
    props: propsOf(
      Object.fromEntries(
        Object.entries(properties).filter(([name]) => !name.startsWith('$') && !NOT_PROPERTIES.has(name)),
      ),
    ),
    revenue: revenueOf(
      properties.revenue ?? properties.$revenue,
      properties.currency ?? properties.$currency,
    ),
  };
}

/** Undefined: not counted here. */
function kindOf(
  given: string,
  properties: Fields,
): Pick<TranslatedEvent, 'name' | 'url' | 'engagementMs' | 'scrollDepth'> | undefined {
  const url = text(properties.$current_url, Infinity);
  if (!given.startsWith('$')) return { name: given, url };
  if (given === '$pageview') return { name: 'pageview', url };
  if (given === '$screen') {
    return {
      name: 'pageview',
      url: `https://app/${encodeURIComponent(text(properties.$screen_name, 200) ?? '')}`,
    };
  }
  if (given !== '$pageleave') return undefined;
  const seconds = number(properties.$prev_pageview_duration);
  const share = number(properties.$prev_pageview_max_scroll_percentage);
  return {
    name: 'engagement',
    url,
    engagementMs: seconds === undefined ? undefined : wholeNumber(seconds * 1_000, ENGAGEMENT_MS_MAX),
    scrollDepth: share === undefined ? undefined : wholeNumber(share * 100, 100),
  };
}

const referrerOf = (value: unknown): string | undefined =>
  value === '$direct' ? undefined : text(value, LENGTHS.referrer);

const screenOf = ({ $screen_width: width, $screen_height: height }: Fields): string | undefined =>
  typeof width === 'number' && typeof height === 'number' ? `${width}x${height}` : undefined;
