import { RECEIVED_AT } from '../../../../../test/given-draft.js';
import { eventsIn, eventsRoute, settled, vendorRequest } from '../../../../../test/vendor-request.js';
import { matomo } from './matomo.js';
import { UNCOUNTED } from './vendor-format.js';

const route = eventsRoute(matomo, '/matomo.php');
const PAGE = {
  idsite: '7',
  rec: '1',
  url: 'https://shop.example/a',
  action_name: 'Shop',
  _id: '0123456789abcdef',
};
const eventOf = (query: Record<string, string>) =>
  eventsIn(route, vendorRequest({ query: { ...PAGE, ...query } }))[0]!;

it('takes a page view from a URL', () => {
  expect(
    eventOf({ urlref: 'https://a.example/', res: '800x600', lang: 'de,en', uid: 'u', dimension1: 'x' }),
  ).toMatchObject({
    site: '7',
    name: 'pageview',
    url: 'https://shop.example/a',
    referrer: 'https://a.example/',
    title: 'Shop',
    screen: '800x600',
    language: 'de',
    visitorId: '0123456789abcdef',
    userId: 'u',
    props: { dimension1: 'x' },
    occurredAt: RECEIVED_AT,
  });
});

it('takes it from a form as well', () => {
  const body = new URLSearchParams(PAGE).toString();
  expect(eventsIn(route, vendorRequest({ body }))).toEqual([expect.objectContaining({ name: 'pageview' })]);
});

it.each([
  [
    { e_c: 'Video', e_a: 'Play', e_n: 'Intro', e_v: '3' },
    'Play',
    { category: 'Video', name: 'Intro', value: 3 },
  ],
  [{ search: 'shoes', search_count: '5' }, 'search', { keyword: 'shoes', results: 5 }],
  [{ link: 'https://b.example/' }, 'Outbound Link: Click', { url: 'https://b.example/' }],
  [{ download: 'https://shop.example/a.pdf' }, 'File Download', { url: 'https://shop.example/a.pdf' }],
])('takes %j for %s', (query: Record<string, string>, name, props) => {
  expect(eventOf(query)).toMatchObject({ name, props });
});

it('takes a heartbeat for engagement', () => {
  expect(eventOf({ ping: '1' })).toMatchObject({ name: 'engagement' });
});

it('knows an order by its number, and a goal by its own; sums are in the currency of the site', () => {
  const ec_items = JSON.stringify([
    ['a', 'Shirt', 'Clothes', 4, 2],
    ['b', 'Hat'],
  ]);
  expect(eventOf({ idgoal: '0', ec_id: 'T1', revenue: '9.9', ec_items, ec_tx: '1.5' })).toMatchObject({
    id: 'order T1',
    name: 'purchase',
    revenue: { amount: 9.9, currency: '' },
    props: { transaction_id: 'T1', items: 3, item_ids: 'a, b', item_names: 'Shirt, Hat', tax: 1.5 },
  });
  expect(eventOf({ idgoal: '3', revenue: '2' })).toMatchObject({
    name: 'Goal 3',
    revenue: { amount: 2, currency: '' },
  });
  const cart = eventOf({ idgoal: '0', revenue: '2' });
  expect([cart.name, cart.revenue]).toEqual(['cart', undefined]);
});

it.each([
  ['2026-11-21 09:00:00', Date.UTC(2026, 10, 21, 9)],
  [String(Date.UTC(2026, 10, 21, 9) / 1_000), Date.UTC(2026, 10, 21, 9)],
  ['no time', RECEIVED_AT],
])('reads the time %s', (cdt, expected) => {
  expect(eventOf({ cdt }).occurredAt).toBe(expected);
});

it('reads a bulk, keeping the places of what is no request or not counted', () => {
  const requests = [
    `?${new URLSearchParams(PAGE).toString()}`,
    'idsite=7',
    { ...PAGE, c_n: 'Banner' },
    { ...PAGE, ca: 1 },
  ];
  const { key, events } = route.translate(vendorRequest({ json: { requests, token_auth: 'k' } }));
  expect(key).toBe('k');
  expect(events).toEqual([expect.objectContaining({ name: 'pageview' }), null, UNCOUNTED, UNCOUNTED]);
});

it('answers an image, nothing where none is wanted, and a bulk with counts', () => {
  const one = settled({ accepted: 1 });
  expect(route.answer(one, vendorRequest({ query: PAGE })).headers).toEqual({ 'content-type': 'image/gif' });
  expect(route.answer(one, vendorRequest({ query: { ...PAGE, send_image: '0' } }))).toEqual({ status: 204 });
  const rejected = [{ index: 1, reason: 'event_invalid', detail: 'no event' }] as const;
  const bulk = vendorRequest({ json: { requests: [] } });
  expect(route.answer(settled({ accepted: 1, rejected }), bulk).body).toEqual({
    status: 'success',
    tracked: 1,
    invalid: 1,
  });
  expect(() => route.answer(settled({ rejected }), vendorRequest({ query: PAGE }))).toThrow('no event');
});
