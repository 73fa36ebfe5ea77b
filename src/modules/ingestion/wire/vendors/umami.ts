// Umami's collection API: POST /api/send, and /api/batch with several of the same. No key, no ids of events: what
// a client sends twice counts twice. The ids of session and visit that it answers are placeholders: sessions are
// made where history can be done again, in the projector.
import { Problem } from '../../../../http/problem.js';
import type { ErrorForm } from '../../../../http/route-kind.js';
import {
  type Fields,
  fieldsOf,
  identifier,
  isFields,
  jsonIn,
  LENGTHS,
  number,
  objectIn,
  propsOf,
  revenueOf,
  text,
} from './fields.js';
import {
  type Settled,
  type Translation,
  UNCOUNTED,
  type VendorAnswer,
  type VendorFormat,
} from './vendor-format.js';

const EVENTS_MAX = 1_000;
const NAME_CHARACTERS_MAX = 50;
const NONE = '00000000-0000-0000-0000-000000000000';
/** Echoed by its clients with the next request. There is nothing to remember by it. */
const CACHE = 'none';
const KINDS = new Set(['event', 'identify', 'performance']);

const errors: ErrorForm = ({ status, detail, title }) => ({ status, body: { error: detail ?? title } });

const EXAMPLE = {
  type: 'event',
  payload: { website: 'shop.example', hostname: 'shop.example', url: '/p', name: 'signup' },
};

export const umami: VendorFormat = {
  wire: 'umami',
  title: 'Umami',
  errors,
  routes: [
    {
      method: 'POST',
      paths: ['/api/send'],
      summary: 'receive an event',
      description: '`website` is a site, or one of its `trackingIds`.',
      example: EXAMPLE,
      eventsMax: 1,
      translate: ({ body }) => translate([objectIn(body)]),
      answer: (outcome) => {
        throwIfNone(outcome);
        return { status: 200, body: { cache: CACHE, sessionId: NONE, visitId: NONE } };
      },
    },
    {
      method: 'POST',
      paths: ['/api/batch'],
      summary: 'receive events',
      example: [EXAMPLE],
      eventsMax: EVENTS_MAX,
      translate: ({ body }) => translate(listIn(body)),
      answer: batchAnswer,
    },
  ],
};

function listIn(body: string): readonly unknown[] {
  const list = jsonIn(body);
  if (!Array.isArray(list) || list.length === 0) throw Problem.badRequest('Send an array of events.');
  return list;
}

function throwIfNone({ accepted, duplicates, dropped, rejected }: Settled): void {
  if (accepted + duplicates + dropped > 0 || rejected.length === 0) return;
  throw Problem.badRequest(rejected[0]!.detail);
}

function batchAnswer({ accepted, duplicates, dropped, rejected }: Settled): VendorAnswer {
  const processed = accepted + duplicates + dropped;
  const details = rejected.map(({ index, detail }) => ({ index, response: { error: detail } }));
  return {
    status: 200,
    body: { size: processed + rejected.length, processed, errors: rejected.length, details, cache: CACHE },
  };
}

function translate(sent: readonly unknown[]): Translation {
  const events = sent.map((one) => (isFields(one) && KINDS.has(String(one.type)) ? eventOf(one) : null));
  return { events };
}

function eventOf({ type, payload }: Fields): Translation['events'][number] {
  if (type !== 'event') return UNCOUNTED;
  const sent = fieldsOf(payload);
  const data = fieldsOf(sent.data);
  const seconds = number(sent.timestamp);
  return {
    // Exactly one of the three names whose event it is.
    site: text(sent.website ?? sent.link ?? sent.pixel, 253),
    name: identifier(sent.name, NAME_CHARACTERS_MAX) ?? 'pageview',
    url: urlOf(sent),
    referrer: text(sent.referrer, LENGTHS.referrer),
    title: text(sent.title, LENGTHS.title),
    language: text(sent.language, LENGTHS.language),
    screen: text(sent.screen, LENGTHS.screen),
    occurredAt: seconds === undefined ? undefined : Math.floor(seconds * 1_000),
    visitorId: identifier(sent.id, LENGTHS.visitorId),
    ip: text(sent.ip, 45),
    userAgent: text(sent.userAgent, 512),
    props: propsOf({ ...data, ...(text(sent.tag, 50) !== undefined && { tag: sent.tag }) }),
    revenue: revenueOf(data.revenue, data.currency),
  };
}

/** Its script sends the path and says the host beside it. */
function urlOf({ url, hostname }: Fields): string | undefined {
  const given = text(url, Infinity);
  const host = text(hostname, 253);
  if (host === undefined || (given !== undefined && /^https?:/i.test(given))) return given;
  return `https://${host}${given?.startsWith('/') ? given : `/${given ?? ''}`}`;
}
