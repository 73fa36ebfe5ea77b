import { eventsIn, eventsRoute, settled, vendorRequest } from '../../../../../test/vendor-request.js';
import { plausible } from './plausible.js';

const route = eventsRoute(plausible, '/api/event');
const { translate, answer } = route;
const SENT = { name: 'pageview', url: 'https://shop.example/a', domain: 'shop.example' };
const eventOf = (json: Record<string, unknown>) =>
  eventsIn(route, vendorRequest({ json: { ...SENT, ...json } }))[0]!;

it('reads short keys as long ones', () => {
  const long = { ...SENT, referrer: 'https://a.example/', props: { plan: 'pro' }, interactive: false };
  const short = {
    n: 'pageview',
    u: SENT.url,
    d: SENT.domain,
    r: 'https://a.example/',
    p: { plan: 'pro' },
    i: false,
  };
  const expected = {
    site: 'shop.example',
    name: 'pageview',
    url: SENT.url,
    referrer: 'https://a.example/',
    props: { plan: 'pro' },
    interactive: false,
  };
  expect(translate(vendorRequest({ json: long })).events).toEqual([expected]);
  expect(translate(vendorRequest({ json: short })).events).toEqual([expected]);
});

it('gives an event to each of several domains once, and to the host of its page where none is named', () => {
  const sites = (domain: unknown) =>
    eventsIn(route, vendorRequest({ json: { ...SENT, domain } })).map(({ site }) => site);
  expect(sites('a.example, b.example,a.example')).toEqual(['a.example', 'b.example']);
  expect(sites(undefined)).toEqual(['shop.example']);
});

it.each([
  [
    { plan: 'pro', price: 3, gift: true },
    { plan: 'pro', price: 3, gift: true },
  ],
  ['{"plan":"pro"}', { plan: 'pro' }],
  [{ empty: '', none: null, deep: { a: 1 }, list: [1] }, undefined],
  ['no object', undefined],
])('keeps the scalars of properties %j', (props, kept) => {
  expect(eventOf({ props }).props).toEqual(kept);
});

it('keeps at most thirty properties', () => {
  const props = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`key${at}`, at]));
  expect(Object.keys(eventOf({ props }).props!)).toHaveLength(30);
});

it.each([
  [
    { currency: 'EUR', amount: '12.50' },
    { currency: 'EUR', amount: '12.50' },
  ],
  ['{"currency":"USD","amount":3}', { currency: 'USD', amount: 3 }],
  [{ currency: 'Euro', amount: 3 }, undefined],
  [{ amount: 3 }, undefined],
  [{ currency: 'EUR', amount: 'much' }, undefined],
])('takes revenue %j, and leaves out what is no sum', (revenue, kept) => {
  expect(eventOf({ revenue }).revenue).toEqual(kept);
});

it('knows engagement by its time or depth, and its 255 as an unknown depth', () => {
  expect(eventOf({ name: 'engagement', e: 4_000, sd: 55 })).toMatchObject({
    engagementMs: 4_000,
    scrollDepth: 55,
  });
  expect(eventOf({ name: 'engagement', e: 4_000, sd: 255 })).toMatchObject({
    engagementMs: 4_000,
    scrollDepth: undefined,
  });
  expect(() => eventOf({ name: 'engagement' })).toThrow();
});

it('joins the fragment to the path for routers behind the #', () => {
  expect(eventOf({ url: 'https://shop.example/app/#/cart', hashMode: 1 }).url).toBe(
    'https://shop.example/app/cart',
  );
  expect(eventOf({ url: 'https://shop.example/app#top' }).url).toBe('https://shop.example/app#top');
});

it('takes a name that is a number', () => {
  expect(eventOf({ name: 404 }).name).toBe('404');
});

it.each([[{ url: undefined }], [{ name: undefined }], [{ name: 'x'.repeat(121) }]])('refuses %j', (fault) => {
  expect(() => eventOf(fault)).toThrow();
});

it('says what the vendor says: ok, with a header where policy has dropped the event', () => {
  const request = vendorRequest({ json: SENT });
  expect(answer(settled({ accepted: 1 }), request)).toEqual({ status: 202, body: 'ok' });
  const unknown = settled({ rejected: [{ index: 0, reason: 'site_unknown', detail: 'none' }] });
  expect(answer(unknown, request)).toEqual({
    status: 202,
    body: 'ok',
    headers: { 'x-plausible-dropped': '1' },
  });
  const fault = settled({ rejected: [{ index: 0, reason: 'url_invalid', detail: 'no URL' }] });
  expect(() => answer(fault, request)).toThrow('see errors');
  expect(
    answer(settled({ accepted: 1 }), vendorRequest({ headers: { 'x-debug-request': 'true' } })).status,
  ).toBe(200);
});
