// Snowplow's tracker protocol: POST …/tp2 with a list of payloads, GET /i with one. Every payload has an id, and a
// request that is answered 429 or 5xx is sent again; 4xx stops that, so it is answered where nothing else helps.
import { Problem } from '../../../../http/problem.js';
import type { ErrorForm } from '../../../../http/route-kind.js';
import { parseJson } from '../../../../http/body.js';
import {
  type Fields,
  fieldsOf,
  identifier,
  isFields,
  LENGTHS,
  momentOf,
  number,
  objectIn,
  propsOf,
  revenueOf,
  text,
  textOfBase64,
  wholeNumber,
} from './fields.js';
import { PIXEL } from './pixel.js';
import {
  type EventsRoute,
  type Settled,
  type TranslatedEvent,
  type Translation,
  UNCOUNTED,
  type VendorFormat,
} from './vendor-format.js';

const EVENTS_MAX = 1_000;

const errors: ErrorForm = ({ status, detail, title }) => ({
  status,
  body: detail ?? title,
  contentType: 'text/plain',
});

const COMMON: Pick<EventsRoute, 'eventsMax' | 'repeats' | 'description'> = {
  description: '`aid` is a site, or one of its `trackingIds`.',
  eventsMax: EVENTS_MAX,
  repeats: true,
};
const EXAMPLE = {
  ...{ e: 'pv', aid: 'shop.example', p: 'web', tv: 'js-4' },
  ...{ url: 'https://shop.example/', eid: '8cabfb48-cfb3-4cf9-99cc-05723e5f98c1' },
};

export const snowplow: VendorFormat = {
  wire: 'snowplow',
  title: 'Snowplow',
  errors,
  routes: [
    {
      ...COMMON,
      method: 'POST',
      paths: ['/com.snowplowanalytics.snowplow/tp2'],
      summary: 'receive payloads',
      example: {
        schema: 'iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4',
        data: [EXAMPLE],
      },
      translate: ({ body, receivedAt }) => {
        const { data } = objectIn(body);
        if (!Array.isArray(data) || data.length === 0)
          throw Problem.badRequest('`data` must be a list of payloads.');
        return { events: data.map((one) => (isFields(one) ? eventOf(one, receivedAt) : null)) };
      },
      answer: (outcome) => {
        throwIfNone(outcome);
        return { status: 200, body: 'ok' };
      },
    },
    {
      ...COMMON,
      method: 'GET',
      paths: ['/i'],
      summary: 'receive a payload from an image',
      exampleQuery: EXAMPLE,
      translate: ({ query, receivedAt }) => ({ events: [eventOf(query, receivedAt)] }),
      answer: (outcome) => {
        throwIfNone(outcome);
        return PIXEL;
      },
    },
  ],
};

function throwIfNone({ accepted, duplicates, dropped, rejected }: Settled): void {
  if (accepted + duplicates + dropped > 0 || rejected.length === 0) return;
  throw Problem.badRequest(rejected.map(({ index, detail }) => `data[${index}]: ${detail}`).join('; '));
}

function eventOf(sent: Fields, receivedAt: number): Translation['events'][number] {
  const kind = kindOf(sent);
  if (kind === null || kind === UNCOUNTED) return kind;
  return {
    ...kind,
    site: text(sent.aid, 253),
    id: identifier(sent.eid, LENGTHS.id),
    url: text(sent.url, Infinity),
    referrer: text(sent.refr, LENGTHS.referrer),
    title: text(sent.page, LENGTHS.title),
    // A true timestamp is right whatever the device's clock says; the device's is put right by when it sent.
    occurredAt: number(sent.ttm) ?? momentOf(number(sent.dtm), number(sent.stm), receivedAt),
    visitorId: identifier(sent.duid ?? sent.nuid ?? sent.uid, LENGTHS.visitorId),
    userId: identifier(sent.uid, LENGTHS.userId),
    ip: text(sent.ip, 45),
    userAgent: text(sent.ua, 512),
    language: text(sent.lang, LENGTHS.language),
    screen: text(sent.res, LENGTHS.screen),
  };
}

function kindOf(sent: Fields): Partial<TranslatedEvent> | null | typeof UNCOUNTED {
  switch (sent.e) {
    case 'pv':
      return { name: 'pageview' };
    case 'pp':
      return { name: 'engagement', scrollDepth: scrollDepthOf(sent) };
    case 'se':
      return ofStructured(sent);
    case 'ue':
      return ofSchema(sent);
    case 'tr':
      return {
        name: 'purchase',
        props: propsOf({ transaction_id: sent.tr_id, tax: number(sent.tr_tx), shipping: number(sent.tr_sh) }),
        revenue: revenueOf(sent.tr_tt, sent.tr_cu ?? 'USD'),
      };
    case 'ti':
      // A line of an order whose sum came with the order.
      return UNCOUNTED;
    default:
      return null;
  }
}

const ofStructured = (sent: Fields): Partial<TranslatedEvent> => ({
  name: identifier(sent.se_ac, LENGTHS.name) ?? '',
  props: propsOf({
    category: sent.se_ca,
    label: sent.se_la,
    property: sent.se_pr,
    value: number(sent.se_va),
  }),
});

/** Named by its schema: `iglu:com.acme/signed_up/jsonschema/1-0-0`. */
function ofSchema({ ue_pr: plain, ue_px: encoded }: Fields): Partial<TranslatedEvent> | null {
  const json = text(plain, Infinity) ?? (typeof encoded === 'string' ? textOfBase64(encoded) : undefined);
  const outer = fieldsOf(json === undefined ? undefined : parseJson(json));
  const { schema, data } = fieldsOf(outer.data);
  const name = /^iglu:[^/]+\/([^/]+)\//.exec(text(schema, 500) ?? '')?.[1];
  if (name === undefined) return null;
  const fields = fieldsOf(data);
  const target = text(fields.targetUrl, Infinity);
  if (name === 'link_click' && target !== undefined)
    return { name: 'Outbound Link: Click', props: propsOf({ url: target }) };
  return { name: identifier(name, LENGTHS.name), props: propsOf(fields) };
}

/** How far down the window's lower edge has been, of the document's height. */
function scrollDepthOf({ pp_may: offset, vp: viewport, ds: document }: Fields): number | undefined {
  const [reached, seen, whole] = [number(offset), heightIn(viewport), heightIn(document)];
  if (reached === undefined || seen === undefined || !whole) return undefined;
  return wholeNumber(((reached + seen) / whole) * 100, 100);
}

const heightIn = (size: unknown): number | undefined => number(/^\d+x(\d+)$/.exec(text(size, 30) ?? '')?.[1]);
