// Matomo's tracking API: matomo.php, by GET or POST, one request or a bulk of them. Orders have numbers, and count
// once; of the rest, what a client sends twice counts twice. Sums of money are in the site's currency.
import { Problem } from '../../../../http/problem.js';
import type { ErrorForm } from '../../../../http/route-kind.js';
import { parseJson } from '../../../../http/body.js';
import { type Fields, fieldsOf, identifier, LENGTHS, number, objectIn, propsOf, text } from './fields.js';
import { linesOf } from './orders.js';
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

const EVENTS_MAX = 1_000;
const PATHS = ['/matomo.php', '/piwik.php'];
const EXAMPLE = { idsite: 'shop.example', rec: '1', url: 'https://shop.example/', action_name: 'Shop' };
type Sent = Readonly<Record<string, string>>;

const errors: ErrorForm = ({ status, detail, title }) => ({
  status,
  body: detail ?? title,
  contentType: 'text/plain',
});

const COMMON: Omit<EventsRoute, 'method' | 'summary'> = {
  paths: PATHS,
  description: '`idsite` is a site, or one of its `trackingIds`; `token_auth` a key of scope ingest:server.',
  exampleQuery: EXAMPLE,
  eventsMax: EVENTS_MAX,
  translate,
  answer,
};

export const matomo: VendorFormat = {
  wire: 'matomo',
  title: 'Matomo',
  errors,
  routes: [
    { ...COMMON, method: 'GET', summary: 'receive an event' },
    {
      ...COMMON,
      method: 'POST',
      summary: 'receive an event, or a bulk of them',
      example: { requests: ['?idsite=shop.example&rec=1&url=https://shop.example/'] },
    },
  ],
};

function translate({ body, query, receivedAt }: VendorRequest): Translation {
  if (isBulk(body)) {
    const { requests, token_auth: token } = objectIn(body);
    if (!Array.isArray(requests) || requests.length === 0)
      throw Problem.badRequest('`requests` must be an array.');
    const sent = requests.map(parametersIn);
    return {
      key: text(token, 256) ?? sent.find((one) => one?.token_auth)?.token_auth,
      events: sent.map((one) => one && eventOf(one, receivedAt)),
    };
  }
  const sent = { ...query, ...formIn(body) };
  return { key: sent.token_auth, events: [eventOf(sent, receivedAt)] };
}

function answer(outcome: Settled, { body, query }: VendorRequest): VendorAnswer {
  const { accepted, duplicates, dropped, rejected } = outcome;
  const tracked = accepted + duplicates + dropped;
  if (isBulk(body)) return { status: 200, body: { status: 'success', tracked, invalid: rejected.length } };
  if (tracked === 0 && rejected.length > 0) throw Problem.badRequest(rejected[0]!.detail);
  return { ...query, ...formIn(body) }.send_image === '0' ? { status: 204 } : PIXEL;
}

const isBulk = (body: string): boolean => body.trimStart().startsWith('{');

const formIn = (body: string): Sent => Object.fromEntries(new URLSearchParams(body));

/** Of a bulk, each is the query of a URL. Null: it is none. */
function parametersIn(request: unknown): Sent | null {
  if (typeof request === 'string') return formIn(request.replace(/^[^?]*\?/, ''));
  const fields = Object.entries(fieldsOf(request)).map(([name, value]) => [
    name,
    text(value, Infinity) ?? '',
  ]);
  return fields.length === 0 ? null : (Object.fromEntries(fields) as Sent);
}

function eventOf(sent: Sent, receivedAt: number): Translation['events'][number] {
  if (sent.rec !== '1') return null;
  const kind = kindOf(sent);
  if (kind === undefined) return UNCOUNTED;
  const { props, ...rest } = kind;
  return {
    ...rest,
    site: text(sent.idsite, 253),
    url: text(sent.url, Infinity),
    referrer: text(sent.urlref, LENGTHS.referrer),
    title: text(sent.action_name, LENGTHS.title),
    occurredAt: momentIn(sent.cdt) ?? receivedAt,
    visitorId: identifier(sent.cid ?? sent._id ?? sent.uid, LENGTHS.visitorId),
    userId: identifier(sent.uid, LENGTHS.userId),
    ip: text(sent.cip, 45),
    userAgent: text(sent.ua, 512),
    language: text(sent.lang?.split(',', 1)[0], LENGTHS.language),
    screen: text(sent.res, LENGTHS.screen),
    props: propsOf({ ...dimensionsIn(sent), ...props }),
  };
}

interface Kind extends Pick<TranslatedEvent, 'name' | 'id' | 'revenue'> {
  readonly props?: Fields;
}

/** Undefined: not counted here. */
function kindOf(sent: Sent): Kind | undefined {
  if (sent.ping === '1') return { name: 'engagement' };
  if (sent.e_a) {
    return {
      name: identifier(sent.e_a, LENGTHS.name),
      props: { category: sent.e_c, name: sent.e_n, value: number(sent.e_v) },
    };
  }
  if (sent.search !== undefined) {
    return {
      name: 'search',
      props: { keyword: sent.search, category: sent.search_cat, results: number(sent.search_count) },
    };
  }
  if (sent.link) return { name: 'Outbound Link: Click', props: { url: sent.link } };
  if (sent.download) return { name: 'File Download', props: { url: sent.download } };
  if (sent.idgoal !== undefined) return ofGoal(sent);
  // Content that was shown, and what is said of a page's speed, or of media, after it was viewed.
  return sent.c_n !== undefined || sent.ca === '1' ? undefined : { name: 'pageview' };
}

/** Goal 0 is an order, or a cart that has no number yet. */
function ofGoal(sent: Sent): Kind {
  // The protocol has no place for a currency.
  const amount = number(sent.revenue);
  const revenue = amount === undefined ? undefined : { amount, currency: '' };
  if (sent.idgoal !== '0') return { name: `Goal ${text(sent.idgoal, 20)}`, revenue };
  const items = linesOf(itemsIn(sent.ec_items));
  if (!sent.ec_id) return { name: 'cart', props: { ...items, value: amount } };
  return {
    name: 'purchase',
    id: identifier(`order ${sent.ec_id}`, LENGTHS.id),
    revenue,
    props: {
      ...items,
      transaction_id: sent.ec_id,
      subtotal: number(sent.ec_st),
      tax: number(sent.ec_tx),
      shipping: number(sent.ec_sh),
      discount: number(sent.ec_dt),
    },
  };
}

/** `[[sku, name, category, price, quantity], …]` as text. */
function itemsIn(list: string | undefined): readonly Fields[] {
  const parsed = list ? parseJson(list) : [];
  if (!Array.isArray(parsed)) return [];
  return parsed
    .filter((item) => Array.isArray(item))
    .map(([sku, name, , , quantity]: unknown[]) => ({ sku, name, quantity }));
}

const DIMENSION = /^dimension\d{1,3}$/;

function dimensionsIn(sent: Sent): Fields {
  return Object.fromEntries(Object.entries(sent).filter(([name]) => DIMENSION.test(name)));
}

/** Seconds since 1970, or `2026-11-21 10:00:00` in UTC. */
function momentIn(cdt: string | undefined): number | undefined {
  if (!cdt) return undefined;
  const seconds = number(cdt);
  if (seconds !== undefined) return Math.floor(seconds * 1_000);
  const parsed = Date.parse(`${cdt.trim().replace(' ', 'T')}${/[zZ]|[+-]\d\d:?\d\d$/.test(cdt) ? '' : 'Z'}`);
  return Number.isNaN(parsed) ? undefined : parsed;
}
