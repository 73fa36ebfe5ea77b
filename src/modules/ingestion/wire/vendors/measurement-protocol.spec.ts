import { RECEIVED_AT } from '../../../../../test/given-draft.js';
import {
  eventsIn,
  eventsRoute,
  routeOf,
  settled,
  vendorRequest,
} from '../../../../../test/vendor-request.js';
import { measurementProtocol } from './measurement-protocol.js';
import type { SettingsRoute } from './vendor-format.js';

const route = eventsRoute(measurementProtocol, '/mp/collect');
const { translate, answer } = route;
const debug = routeOf(measurementProtocol, '/debug/mp/collect') as SettingsRoute;
const QUERY = { measurement_id: 'G-ABC', api_secret: 'tm_secret' };
const of = (json: object) => translate(vendorRequest({ json, query: QUERY }));
const eventOf = (event: object, rest: object = {}) =>
  eventsIn(route, vendorRequest({ json: { client_id: '7.9', events: [event], ...rest }, query: QUERY }))[0]!;

it('takes site and key from the URL, and the user from the body', () => {
  const { key, events } = of({
    client_id: '7.9',
    user_id: 'u',
    events: [{ name: 'login', params: { method: 'mail' } }, { name: 'search' }],
  });
  expect(key).toBe('tm_secret');
  expect(events).toHaveLength(2);
  expect(events[0]).toMatchObject({
    site: 'G-ABC',
    name: 'login',
    visitorId: '7.9',
    userId: 'u',
    props: { method: 'mail' },
    occurredAt: RECEIVED_AT,
  });
});

it('takes a page view for a pageview', () => {
  const params = {
    page_location: 'https://shop.example/',
    page_referrer: 'https://a.example/',
    page_title: 'Shop',
  };
  expect(eventOf({ name: 'page_view', params })).toMatchObject({
    name: 'pageview',
    url: 'https://shop.example/',
    referrer: 'https://a.example/',
    title: 'Shop',
    props: undefined,
  });
});

it('knows an order by its number, what was paid and what was bought', () => {
  const params = {
    transaction_id: 'T1',
    currency: 'EUR',
    value: 9.9,
    session_id: '42',
    engagement_time_msec: 80,
    items: [
      { item_id: 'a', item_name: 'Shirt', quantity: 2 },
      { item_id: 'b', item_name: 'Hat' },
    ],
  };
  expect(eventOf({ name: 'purchase', params })).toMatchObject({
    id: 'T1',
    name: 'purchase',
    revenue: { amount: 9.9, currency: 'EUR' },
    engagementMs: 80,
    props: {
      transaction_id: 'T1',
      value: 9.9,
      currency: 'EUR',
      items: 3,
      item_ids: 'a, b',
      item_names: 'Shirt, Hat',
    },
  });
});

it('pays a refund back, and takes the value of a cart for no revenue', () => {
  const params = { value: 5, currency: 'EUR', transaction_id: 'T1' };
  expect(eventOf({ name: 'refund', params })).toMatchObject({
    id: undefined,
    revenue: { amount: '-5', currency: 'EUR' },
  });
  expect(eventOf({ name: 'add_to_cart', params }).revenue).toBeUndefined();
});

it('reads the moment of an event in microseconds, of the event before that of all', () => {
  const micros = { timestamp_micros: (RECEIVED_AT - 60_000) * 1_000 };
  expect(eventOf({ name: 'a' }, micros).occurredAt).toBe(RECEIVED_AT - 60_000);
  expect(eventOf({ name: 'a', timestamp_micros: String((RECEIVED_AT - 5) * 1_000) }, micros).occurredAt).toBe(
    RECEIVED_AT - 5,
  );
});

it('keeps the place of what is no event, so that it is counted', () => {
  expect(of({ client_id: '7.9', events: ['no', { name: 'a' }, { params: {} }] }).events).toEqual([
    null,
    expect.objectContaining({ name: 'a' }),
    expect.objectContaining({ name: '' }),
  ]);
});

it('says nothing to whoever sends', () => {
  const rejected = [{ index: 0, reason: 'site_unknown', detail: 'none' }] as const;
  expect(answer(settled({ rejected }), vendorRequest())).toEqual({ status: 204 });
  expect(measurementProtocol.errors({ status: 400, type: 'a', title: 'b' }).status).toBe(204);
  expect(measurementProtocol.errors({ status: 503, type: 'a', title: 'b' }).status).toBe(503);
});

it.each([
  [{ client_id: '7.9', events: [{ name: 'login', params: { a: 'b' } }] }, []],
  [{ events: [{ name: 'login' }] }, ['client_id VALUE_REQUIRED']],
  [{ client_id: '7.9', events: [] }, ['events VALUE_REQUIRED']],
  [{ client_id: '7.9', events: [{ name: '' }] }, ['events[0].name VALUE_REQUIRED']],
  [{ client_id: '7.9', events: [{ name: 'a-b' }] }, ['events[0].name NAME_INVALID']],
  [{ client_id: '7.9', events: [{ name: 'ga_x' }] }, ['events[0].name NAME_RESERVED']],
  [{ client_id: '7.9', events: [{ name: 'a', params: { _x: 1 } }] }, ['events[0].params._x NAME_RESERVED']],
  [
    { client_id: '7.9', events: [{ name: 'a', params: { value: 'x' } }] },
    ['events[0].params.value VALUE_INVALID'],
  ],
  [
    { client_id: '7.9', events: [{ name: 'a', params: { value: 1 } }] },
    ['events[0].params.currency VALUE_REQUIRED'],
  ],
  [
    { client_id: '7.9', events: [{ name: 'a', params: { x: 'y'.repeat(101) } }] },
    ['events[0].params.x VALUE_OUT_OF_BOUNDS'],
  ],
  [
    { client_id: '7.9', events: Array.from({ length: 26 }, () => ({ name: 'a' })) },
    ['events EXCEEDED_MAX_ENTITIES'],
  ],
])('tells whoever asks what is wrong with %j', (json, expected) => {
  const { status, body } = debug.settings(vendorRequest({ json }));
  const { validationMessages } = body as {
    validationMessages: { fieldPath: string; validationCode: string }[];
  };
  expect(status).toBe(200);
  expect(validationMessages.map(({ fieldPath, validationCode }) => `${fieldPath} ${validationCode}`)).toEqual(
    expected,
  );
});

it('tells that a body is no JSON', () => {
  const { body } = debug.settings(vendorRequest({ body: '{' }));
  expect(body).toEqual({
    validationMessages: [expect.objectContaining({ validationCode: 'VALUE_INVALID' })],
  });
});
