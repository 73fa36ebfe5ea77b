import { eventsIn, eventsRoute, vendorRequest } from '../../../../../test/vendor-request.js';
import { gtag } from './gtag.js';

const route = eventsRoute(gtag, '/g/collect');
const { translate } = route;
const SHARED = {
  v: '2',
  tid: 'G-ABC',
  cid: '7.9',
  ul: 'de-de',
  sr: '1920x1080',
  dl: 'https://shop.example/a',
  dt: 'Shop',
};
const eventOf = (query: Record<string, string>) =>
  eventsIn(route, vendorRequest({ query: { ...SHARED, ...query } }))[0]!;

it('reads a page view from the URL', () => {
  expect(eventOf({ en: 'page_view', dr: 'https://a.example/', _et: '840' })).toMatchObject({
    site: 'G-ABC',
    name: 'pageview',
    url: 'https://shop.example/a',
    referrer: 'https://a.example/',
    title: 'Shop',
    language: 'de-de',
    screen: '1920x1080',
    visitorId: '7.9',
    engagementMs: 840,
  });
});

it('reads one event a line, each with what all of them share', () => {
  const body =
    'en=add_to_cart&epn.value=12.5&ep.currency=EUR&_et=840\r\nen=page_view&dl=https%3A%2F%2Fshop.example%2Fb\n';
  const { events } = translate(vendorRequest({ query: SHARED, body }));
  expect(events).toEqual([
    expect.objectContaining({
      name: 'add_to_cart',
      url: 'https://shop.example/a',
      props: { value: 12.5, currency: 'EUR' },
      revenue: undefined,
    }),
    expect.objectContaining({ name: 'pageview', url: 'https://shop.example/b' }),
  ]);
});

it('knows what an order is worth, and of what', () => {
  const event = eventOf({
    en: 'purchase',
    cu: 'EUR',
    'epn.value': '9.9',
    'ep.transaction_id': 'T1',
    pr1: 'ida~nmShirt~qt2~pr4',
    pr2: 'idb~nmHat',
  });
  expect(event).toMatchObject({
    id: 'T1',
    revenue: { amount: 9.9, currency: 'EUR' },
    props: { items: 3, item_ids: 'a, b', item_names: 'Shirt, Hat' },
  });
});

it('knows how long and how far a page was looked at', () => {
  expect(eventOf({ en: 'user_engagement', _et: '4200' })).toMatchObject({
    name: 'engagement',
    engagementMs: 4_200,
  });
  expect(eventOf({ en: 'scroll', 'epn.percent_scrolled': '90' })).toMatchObject({
    scrollDepth: 90,
    interactive: false,
  });
});

it.each([
  ['G111', 'full'],
  ['G101', 'full'],
  ['G100', 'cookieless'],
  ['G110', 'cookieless'],
  ['G1--', undefined],
])('takes consent %s for %s', (gcs, consent) => {
  expect(eventOf({ en: 'page_view', gcs }).consent).toBe(consent);
});

it('refuses a request without an event', () => {
  expect(() => translate(vendorRequest({ query: SHARED }))).toThrow('no event');
});
