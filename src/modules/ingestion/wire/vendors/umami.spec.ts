import { eventsIn, eventsRoute, settled, vendorRequest } from '../../../../../test/vendor-request.js';
import { umami } from './umami.js';
import { UNCOUNTED } from './vendor-format.js';

const send = eventsRoute(umami, '/api/send');
const batch = eventsRoute(umami, '/api/batch');
const PAYLOAD = { website: '7d1f6f0a-0000-4000-8000-000000000001', hostname: 'shop.example', url: '/p?a=1' };
const eventOf = (payload: object) =>
  eventsIn(send, vendorRequest({ json: { type: 'event', payload: { ...PAYLOAD, ...payload } } }))[0]!;

it('takes a pageview of a page whose host is said beside it', () => {
  expect(
    eventOf({ referrer: 'https://a.example/', title: 'Shop', language: 'de', screen: '800x600' }),
  ).toMatchObject({
    site: PAYLOAD.website,
    name: 'pageview',
    url: 'https://shop.example/p?a=1',
    referrer: 'https://a.example/',
    title: 'Shop',
    language: 'de',
    screen: '800x600',
  });
});

it('takes a named event with its data, its tag, and revenue in it', () => {
  expect(
    eventOf({ name: 'order', tag: 'b', data: { revenue: 5, currency: 'EUR', plan: 'pro' }, id: 'v' }),
  ).toMatchObject({
    name: 'order',
    visitorId: 'v',
    props: { plan: 'pro', tag: 'b' },
    revenue: { amount: 5, currency: 'EUR' },
  });
});

it('reads times in seconds', () => {
  expect(eventOf({ timestamp: 1_795_255_200 }).occurredAt).toBe(1_795_255_200_000);
});

it('keeps the places of what is not counted and of what is no event', () => {
  const json = [
    { type: 'identify', payload: PAYLOAD },
    { type: 'event', payload: PAYLOAD },
    { type: 'what' },
    'no',
  ];
  expect(batch.translate(vendorRequest({ json })).events).toEqual([
    UNCOUNTED,
    expect.objectContaining({ name: 'pageview' }),
    null,
    null,
  ]);
});

it('answers with placeholders for sessions, and of a batch what failed', () => {
  expect(send.answer(settled({ accepted: 1 }), vendorRequest())).toEqual({
    status: 200,
    body: { cache: expect.any(String), sessionId: expect.any(String), visitId: expect.any(String) },
  });
  const rejected = [{ index: 2, reason: 'site_unknown', detail: 'none' }] as const;
  expect(() => send.answer(settled({ rejected }), vendorRequest())).toThrow('none');
  expect(batch.answer(settled({ accepted: 2, rejected }), vendorRequest()).body).toMatchObject({
    size: 3,
    processed: 2,
    errors: 1,
    details: [{ index: 2, response: { error: 'none' } }],
  });
});
