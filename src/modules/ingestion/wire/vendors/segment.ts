// Segment's tracking API, which RudderStack's and Jitsu's clients speak, too: single calls, batches, the short
// paths of its script and the settings it asks for first, the pixel. Events have ids: a request that is answered
// 429 or 5xx is sent again whole, and counts once.
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
  objectIn,
  propsOf,
  revenueOf,
  text,
  textOfBase64,
} from './fields.js';
import { linesOf, paidBack } from './orders.js';
import { PIXEL } from './pixel.js';
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
const TYPES = ['track', 'page', 'identify', 'screen', 'group', 'alias'] as const;
type Type = (typeof TYPES)[number];
/** Its script's. */
const SHORT: Readonly<Record<string, Type>> = {
  t: 'track',
  p: 'page',
  i: 'identify',
  s: 'screen',
  g: 'group',
  a: 'alias',
};

/** Of the events of a shop, those that are paid, and those that are paid back. */
const PAID: Readonly<Record<string, 1 | -1>> = {
  'Order Completed': 1,
  'Completed Order': 1,
  'Order Refunded': -1,
};
const REVENUE_FIELDS = ['revenue', 'total', 'value'] as const;
/** Said elsewhere in a native event. */
const NOT_PROPERTIES = new Set(['url', 'referrer', 'title', 'path', 'search', 'products']);

const errors: ErrorForm = ({ status, detail, title }) => ({
  status,
  body: { success: false, message: detail ?? title },
});

const answer = ({ accepted, duplicates, dropped, rejected }: Settled): VendorAnswer => {
  if (rejected.length === 0 || accepted + duplicates + dropped > 0)
    return { status: 200, body: { success: true } };
  throw Problem.badRequest(rejected.map(({ index, detail }) => `batch[${index}]: ${detail}`).join('; '));
};

const COMMON = { method: 'POST', eventsMax: EVENTS_MAX, repeats: true, answer } as const;
const EXAMPLE = {
  userId: 'u1',
  messageId: 'm1',
  context: { page: { url: 'https://shop.example/', title: 'Shop' } },
};

export const segment: VendorFormat = {
  wire: 'segment',
  title: 'Segment, RudderStack, Jitsu',
  errors,
  routes: [
    {
      ...COMMON,
      paths: ['/v1/batch', '/v1/b', '/v1/import'],
      summary: 'receive calls of any type',
      description:
        'The write key is a key of scope ingest or ingest:server: as the user of Basic, as Bearer, or as `writeKey`.',
      example: { batch: [{ type: 'track', event: 'Paid', ...EXAMPLE }], sentAt: '2026-11-21T10:00:00Z' },
      translate: (request) => translate(request, objectIn(request.body)),
    },
    ...TYPES.map((type) => callsOf(type)),
    {
      ...COMMON,
      method: 'GET',
      paths: ['/v1/pixel/:type'],
      summary: 'receive a call from an image',
      exampleQuery: { data: Buffer.from(JSON.stringify({ event: 'Opened', ...EXAMPLE })).toString('base64') },
      translate: (request) => translate(request, pixelCall(request)),
      answer: () => PIXEL,
    },
    {
      method: 'GET',
      paths: ['/v1/projects/:key/settings'],
      summary: 'what its script asks for first: that it sends here',
      settings: ({ host, parameters }) => ({
        status: 200,
        body: { integrations: { 'Segment.io': { apiKey: parameters.key, apiHost: `${host}/v1` } }, plan: {} },
      }),
    },
  ],
};

function callsOf(type: Type): EventsRoute {
  const short = Object.keys(SHORT).find((key) => SHORT[key] === type)!;
  return {
    ...COMMON,
    paths: [`/v1/${type}`, `/v1/${short}`],
    summary: `receive a ${type} call`,
    example: { ...EXAMPLE, ...(type === 'track' && { event: 'Paid' }) },
    translate: (request) => translate(request, { ...objectIn(request.body), type }),
  };
}

function pixelCall({ query, parameters }: VendorRequest): Fields {
  if (query.data === undefined) throw Problem.badRequest('`data` is missing: the call, as JSON in base64.');
  const call = jsonIn(textOfBase64(query.data));
  if (!isFields(call)) throw Problem.badRequest('`data` must be a JSON object in base64.');
  return { ...call, type: parameters.type };
}

function translate({ receivedAt }: VendorRequest, sent: Fields): Translation {
  const calls: readonly unknown[] = Array.isArray(sent.batch) ? sent.batch : [sent];
  const shared = { sentAt: millisecondsOf(sent.sentAt), context: fieldsOf(sent.context), receivedAt };
  const events = calls.map((call) => (isFields(call) ? eventOf(call, shared) : null));
  return {
    key: text(sent.writeKey, 256) ?? text(fieldsOf(calls[0]).writeKey, 256),
    events,
  };
}

interface Shared {
  readonly sentAt: number | undefined;
  readonly context: Fields;
  readonly receivedAt: number;
}

function eventOf(call: Fields, shared: Shared): Translation['events'][number] {
  const type = TYPES.find((known) => known === call.type);
  if (type === undefined) return null;
  if (type === 'identify' || type === 'group' || type === 'alias') return UNCOUNTED;
  const context = { ...shared.context, ...fieldsOf(call.context) };
  const page = fieldsOf(context.page);
  const properties = fieldsOf(call.properties);
  return {
    id: identifier(call.messageId, LENGTHS.id),
    name: type === 'track' ? (identifier(call.event, LENGTHS.name) ?? '') : 'pageview',
    url: text(properties.url ?? page.url, Infinity) ?? screenUrl(type, call),
    referrer: text(properties.referrer ?? page.referrer, LENGTHS.referrer),
    title: text(properties.title ?? page.title ?? (type === 'screen' ? call.name : undefined), LENGTHS.title),
    occurredAt: momentOf(
      millisecondsOf(call.timestamp ?? call.originalTimestamp),
      millisecondsOf(call.sentAt) ?? shared.sentAt,
      shared.receivedAt,
    ),
    visitorId: identifier(call.anonymousId ?? call.userId, LENGTHS.visitorId),
    userId: identifier(call.userId, LENGTHS.userId),
    ip: text(context.ip, 45),
    userAgent: text(context.userAgent, 512),
    language: text(context.locale, LENGTHS.language),
    screen: screenOf(fieldsOf(context.screen)),
    props: propertiesOf(properties),
    revenue: revenueIn(String(call.event), properties),
  };
}

/** Screens of apps have names and no addresses. */
function screenUrl(type: Type, { name }: Fields): string | undefined {
  const screen = text(name, 200);
  return type === 'screen' && screen !== undefined ? `https://app/${encodeURIComponent(screen)}` : undefined;
}

const screenOf = ({ width, height }: Fields): string | undefined =>
  typeof width === 'number' && typeof height === 'number' ? `${width}x${height}` : undefined;

function propertiesOf(properties: Fields): TranslatedEvent['props'] {
  const own = Object.entries(properties).filter(([name]) => !NOT_PROPERTIES.has(name));
  return propsOf({ ...Object.fromEntries(own), ...linesOf(properties.products) });
}

/** `revenue` wherever it stands; what an order's total is called besides only of orders. */
function revenueIn(name: string, properties: Fields): TranslatedEvent['revenue'] {
  const sign = PAID[name];
  const fields = sign === undefined ? REVENUE_FIELDS.slice(0, 1) : REVENUE_FIELDS;
  const field = fields.find((one) => properties[one] !== undefined);
  if (field === undefined) return undefined;
  // Dollars where nothing is said, as Segment's specification has it.
  const revenue = revenueOf(properties[field], properties.currency ?? 'USD');
  return sign === -1 ? paidBack(revenue) : revenue;
}
