import { RECEIVED_AT } from '../../../../../test/given-draft.js';
import { eventsIn, eventsRoute, settled, vendorRequest } from '../../../../../test/vendor-request.js';
import { snowplow } from './snowplow.js';
import { UNCOUNTED } from './vendor-format.js';

const route = eventsRoute(snowplow, '/com.snowplowanalytics.snowplow/tp2');
const PAGE = {
  ...{ e: 'pv', aid: 'shop', url: 'https://shop.example/', page: 'Shop', refr: 'https://a.example/' },
  ...{ eid: '8cabfb48-cfb3-4cf9-99cc-05723e5f98c1', duid: 'v', uid: 'u', lang: 'de', res: '800x600' },
};
const eventOf = (payload: object) =>
  eventsIn(route, vendorRequest({ json: { data: [{ ...PAGE, ...payload }] } }))[0]!;
const UNSTRUCTURED = {
  schema: 'iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0',
  data: { schema: 'iglu:com.acme/signed_up/jsonschema/1-0-0', data: { plan: 'pro' } },
};

it('takes a page view', () => {
  expect(eventOf({})).toMatchObject({
    site: 'shop',
    id: PAGE.eid,
    name: 'pageview',
    url: PAGE.url,
    referrer: PAGE.refr,
    title: 'Shop',
    visitorId: 'v',
    userId: 'u',
    language: 'de',
    screen: '800x600',
  });
});

it('puts the clock of the device right, but for a true timestamp', () => {
  const sentAt = RECEIVED_AT + 3_600_000;
  expect(eventOf({ dtm: String(sentAt - 60_000), stm: String(sentAt) }).occurredAt).toBe(
    RECEIVED_AT - 60_000,
  );
  expect(eventOf({ ttm: '1795243027836', dtm: '1', stm: '2' }).occurredAt).toBe(1_795_243_027_836);
});

it.each([
  [
    { e: 'se', se_ca: 'Shop', se_ac: 'add', se_la: 'Hat', se_va: '2' },
    'add',
    { category: 'Shop', label: 'Hat', value: 2 },
  ],
  [{ e: 'ue', ue_pr: JSON.stringify(UNSTRUCTURED) }, 'signed_up', { plan: 'pro' }],
  [
    { e: 'ue', ue_px: Buffer.from(JSON.stringify(UNSTRUCTURED)).toString('base64url') },
    'signed_up',
    { plan: 'pro' },
  ],
])('takes %j for %s', (payload, name, props) => {
  expect(eventOf(payload)).toMatchObject({ name, props });
});

it('takes a page ping for engagement, as deep as the window has been', () => {
  const ping = { e: 'pp', pp_may: '400', vp: '800x600', ds: '800x2000' };
  expect(eventOf(ping)).toMatchObject({ name: 'engagement', scrollDepth: 50 });
});

it('takes a transaction for an order, and its lines for part of it', () => {
  const order = { e: 'tr', tr_id: 'T1', tr_tt: '9.9', tr_cu: 'EUR' };
  expect(eventOf(order)).toMatchObject({ name: 'purchase', revenue: { amount: '9.9', currency: 'EUR' } });
  const { events } = route.translate(
    vendorRequest({ json: { data: [{ ...PAGE, e: 'ti' }, { e: 'xx' }, 1] } }),
  );
  expect(events).toEqual([UNCOUNTED, null, null]);
});

it('reads one from the URL of an image', () => {
  const image = eventsRoute(snowplow, '/i');
  expect(eventsIn(image, vendorRequest({ query: PAGE }))[0]).toMatchObject({ name: 'pageview' });
});

it('refuses where nothing could be taken: then its clients stop', () => {
  const rejected = [{ index: 0, reason: 'site_unknown', detail: 'none' }] as const;
  expect(() => route.answer(settled({ rejected }), vendorRequest())).toThrow('data[0]: none');
  expect(route.answer(settled({ accepted: 1, rejected }), vendorRequest()).status).toBe(200);
});
