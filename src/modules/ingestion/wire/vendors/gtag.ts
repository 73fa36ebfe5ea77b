// GET or POST /g/collect, as gtag.js sends it when `server_container_url` points here: parameters in the URL; a
// POST has one event a line, and what its events share in the URL. Always 204 once they are durable.
import { Problem } from '../../../../http/problem.js';
import type { ErrorForm } from '../../../../http/route-kind.js';
import { type Fields, identifier, LENGTHS, number, text, wholeNumber } from './fields.js';
import { paidBy, propertiesOf } from './google-items.js';
import type {
  EventsRoute,
  TranslatedEvent,
  Translation,
  VendorFormat,
  VendorRequest,
} from './vendor-format.js';

const ENGAGEMENT_MS_MAX = 86_400_000;
const EXAMPLE = { v: '2', tid: 'shop.example', cid: '7.9', en: 'page_view', dl: 'https://shop.example/' };

const errors: ErrorForm = ({ status, detail, title }) => ({
  status: status === 429 || status >= 500 || status === 413 ? status : 204,
  body: detail ?? title,
  contentType: 'text/plain',
});

const COMMON: Omit<EventsRoute, 'method' | 'summary'> = {
  paths: ['/g/collect'],
  description: '`tid` is a site, or one of its `trackingIds`.',
  eventsMax: 1_000,
  exampleQuery: EXAMPLE,
  translate,
  answer: () => ({ status: 204 }),
};

export const gtag: VendorFormat = {
  wire: 'gtag',
  title: 'gtag.js',
  errors,
  routes: [
    { ...COMMON, method: 'GET', summary: 'receive an event' },
    { ...COMMON, method: 'POST', summary: 'receive events', example: 'en=page_view&_et=840' },
  ],
};

function translate({ query, body }: VendorRequest): Translation {
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const sent = lines.length === 0 ? [query] : lines.map((line) => ({ ...query, ...parametersIn(line) }));
  const events = sent.filter(({ en }) => en !== undefined);
  if (events.length === 0) throw Problem.badRequest('There is no event: `en` names one.');
  return { events: events.map(eventOf) };
}

const parametersIn = (line: string): Record<string, string> => Object.fromEntries(new URLSearchParams(line));

function eventOf(sent: Readonly<Record<string, string>>): TranslatedEvent {
  const name = identifier(sent.en, LENGTHS.name)!;
  const parameters = parametersOf(sent);
  const currency = sent.cu ?? parameters.currency;
  const all = { ...parameters, ...(currency !== undefined && { currency }) };
  const engagementMs = wholeNumber(sent._et, ENGAGEMENT_MS_MAX);
  return {
    site: sent.tid,
    id: name === 'purchase' ? identifier(parameters.transaction_id, LENGTHS.id) : undefined,
    // What gtag.js sends of itself when a page is left: how long it was looked at.
    name: name === 'page_view' ? 'pageview' : name === 'user_engagement' ? 'engagement' : name,
    url: text(sent.dl, Infinity),
    referrer: text(sent.dr, LENGTHS.referrer),
    title: text(sent.dt, LENGTHS.title),
    language: text(sent.ul, LENGTHS.language),
    screen: text(sent.sr, LENGTHS.screen),
    visitorId: identifier(sent.cid, LENGTHS.visitorId),
    userId: identifier(sent.uid, LENGTHS.userId),
    consent: consentOf(sent.gcs),
    ...(name === 'scroll' && {
      scrollDepth: wholeNumber(parameters.percent_scrolled, 100),
      interactive: false,
    }),
    ...(engagementMs !== undefined && { engagementMs }),
    props: propertiesOf({ ...all, items: itemsOf(sent) }),
    revenue: paidBy(name, all),
  };
}

/** `ep.` text and `epn.` numbers of the event, `up.` and `upn.` of the user. */
function parametersOf(sent: Readonly<Record<string, string>>): Fields {
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(sent)) {
    const [prefix, key] = split(name);
    if (key === '') continue;
    if (prefix === 'ep' || prefix === 'up') parameters[key] = value;
    if (prefix === 'epn' || prefix === 'upn') parameters[key] = number(value) ?? value;
  }
  return parameters;
}

function split(name: string): readonly [prefix: string, key: string] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** `pr1=id1~nmShirt~qt2~pr9.9`: each part two letters and a value. */
function itemsOf(sent: Readonly<Record<string, string>>): readonly Fields[] {
  return Object.entries(sent)
    .filter(([name]) => /^pr\d+$/.test(name))
    .map(([, value]) => {
      const parts = new Map(value.split('~').map((part) => [part.slice(0, 2), part.slice(2)]));
      return { item_id: parts.get('id'), item_name: parts.get('nm'), quantity: parts.get('qt') };
    });
}

/** `G1` and then a digit for storage of ads and one for that of analytics: 0 denied, 1 granted. */
function consentOf(gcs: string | undefined): TranslatedEvent['consent'] {
  const analytics = /^G1[01-]([01])/.exec(gcs ?? '')?.[1];
  return analytics === '0' ? 'cookieless' : analytics === '1' ? 'full' : undefined;
}
