import { RECEIVED_AT } from '../../../../../test/given-draft.js';
import {
  eventsIn,
  eventsRoute,
  routeOf,
  settled,
  vendorRequest,
} from '../../../../../test/vendor-request.js';
import { segment } from './segment.js';
import { type SettingsRoute, UNCOUNTED } from './vendor-format.js';

const batch = eventsRoute(segment, '/v1/batch');
const CALL = {
  type: 'track',
  event: 'Signed Up',
  messageId: 'm1',
  anonymousId: 'a1',
  userId: 'u1',
  context: { page: { url: 'https://shop.example/', referrer: 'https://a.example/', title: 'Shop' } },
};
const eventOf = (call: object, rest: object = {}) =>
  eventsIn(batch, vendorRequest({ json: { batch: [{ ...CALL, ...call }], ...rest } }))[0]!;

it('takes a call with its page, its visitor and its id', () => {
  expect(eventOf({ properties: { plan: 'pro' } })).toMatchObject({
    id: 'm1',
    name: 'Signed Up',
    url: 'https://shop.example/',
    referrer: 'https://a.example/',
    title: 'Shop',
    visitorId: 'a1',
    userId: 'u1',
    props: { plan: 'pro' },
  });
});

it('finds the key in the body, of the batch or of a call', () => {
  expect(batch.translate(vendorRequest({ json: { batch: [CALL], writeKey: 'k' } })).key).toBe('k');
  const { translate } = eventsRoute(segment, '/v1/t');
  const { key, events } = translate(vendorRequest({ json: { ...CALL, type: undefined, writeKey: 'k' } }));
  expect(key).toBe('k');
  expect(events[0]).toMatchObject({ name: 'Signed Up' });
});

it('takes the time when it happened by our clock', () => {
  const sentAt = RECEIVED_AT + 3_600_000;
  const call = { timestamp: new Date(sentAt - 60_000).toISOString() };
  expect(eventOf(call, { sentAt: new Date(sentAt).toISOString() }).occurredAt).toBe(RECEIVED_AT - 60_000);
  expect(eventOf({ originalTimestamp: '2026-11-21T09:00:00Z' }).occurredAt).toBe(Date.UTC(2026, 10, 21, 9));
});

it.each([
  [{ type: 'page' }, { name: 'pageview', url: 'https://shop.example/' }],
  [
    { type: 'page', properties: { url: 'https://shop.example/b' } },
    { url: 'https://shop.example/b', props: undefined },
  ],
  [
    { type: 'screen', name: 'Home', context: {} },
    { name: 'pageview', url: 'https://app/Home', title: 'Home' },
  ],
])('takes %j for a pageview', (call, expected) => {
  expect(eventOf(call)).toMatchObject(expected);
});

it('keeps the places of what is not counted and of what is no call', () => {
  const calls = [{ type: 'identify' }, CALL, { type: 'group' }, 'no', { type: 'unknown' }, { type: 'alias' }];
  expect(batch.translate(vendorRequest({ json: { batch: calls } })).events).toEqual([
    UNCOUNTED,
    expect.objectContaining({ id: 'm1' }),
    UNCOUNTED,
    null,
    null,
    UNCOUNTED,
  ]);
});

it.each([
  ['Order Completed', { total: 25, currency: 'EUR' }, { amount: 25, currency: 'EUR' }],
  ['Order Completed', { revenue: 20, total: 25 }, { amount: 20, currency: 'USD' }],
  ['Order Refunded', { total: 25, currency: 'EUR' }, { amount: '-25', currency: 'EUR' }],
  ['Signed Up', { revenue: 3, currency: 'EUR' }, { amount: 3, currency: 'EUR' }],
  ['Signed Up', { value: 3 }, undefined],
])('takes for the revenue of %s with %j', (event, properties, revenue) => {
  expect(eventOf({ event, properties }).revenue).toEqual(revenue);
});

it('says what was bought', () => {
  const products = [
    { product_id: 'a', name: 'Shirt', quantity: 2 },
    { sku: 'b', name: 'Hat' },
  ];
  expect(eventOf({ event: 'Order Completed', properties: { order_id: 'o', products } }).props).toEqual({
    order_id: 'o',
    items: 3,
    item_ids: 'a, b',
    item_names: 'Shirt, Hat',
  });
});

it('reads a call from the URL of an image', () => {
  const pixel = eventsRoute(segment, '/v1/pixel/:type');
  const data = Buffer.from(JSON.stringify({ ...CALL, writeKey: 'k' })).toString('base64url');
  const { key, events } = pixel.translate(vendorRequest({ query: { data }, parameters: { type: 'page' } }));
  expect([key, events[0]]).toEqual(['k', expect.objectContaining({ name: 'pageview' })]);
});

it('sends its script back here', () => {
  const { settings } = routeOf(segment, '/v1/projects/:key/settings') as SettingsRoute;
  expect(settings(vendorRequest({ parameters: { key: 'k' } })).body).toMatchObject({
    integrations: { 'Segment.io': { apiKey: 'k', apiHost: 't.example/v1' } },
  });
});

it('is content with what could be taken, and says why where nothing could', () => {
  expect(batch.answer(settled({ accepted: 1, rejected: [] }), vendorRequest())).toMatchObject({
    status: 200,
  });
  const rejected = [{ index: 3, reason: 'url_invalid', detail: 'no URL' }] as const;
  expect(() => batch.answer(settled({ rejected }), vendorRequest())).toThrow('batch[3]: no URL');
});
