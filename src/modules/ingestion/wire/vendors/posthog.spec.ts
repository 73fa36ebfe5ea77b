import { RECEIVED_AT } from '../../../../../test/given-draft.js';
import { eventsIn, eventsRoute, routeOf, vendorRequest } from '../../../../../test/vendor-request.js';
import { posthog } from './posthog.js';
import { type SettingsRoute, UNCOUNTED } from './vendor-format.js';

const route = eventsRoute(posthog, '/batch');
const CALL = {
  event: 'signed up',
  distinct_id: 'd1',
  uuid: '01a1fcd2-bf56-7aed-b8d8-59c70f65495f',
  properties: { $current_url: 'https://shop.example/', plan: 'pro', $lib: 'web', token: 'k' },
};
const eventOf = (call: object) => eventsIn(route, vendorRequest({ json: { ...CALL, ...call } }))[0]!;

it('takes an event with its page, its visitor, its id and its own properties', () => {
  expect(eventOf({})).toMatchObject({
    id: CALL.uuid,
    name: 'signed up',
    url: 'https://shop.example/',
    visitorId: 'd1',
    props: { plan: 'pro' },
  });
});

it.each([
  ['one event', { ...CALL, api_key: 'k' }],
  ['one event with its token inside', CALL],
  ['an array', [CALL]],
  ['a batch', { api_key: 'k', batch: [CALL] }],
])('reads %s, and its key', (_, json) => {
  const { key, events } = route.translate(vendorRequest({ json }));
  expect([key, events]).toEqual(['k', [expect.objectContaining({ name: 'signed up' })]]);
});

it.each([
  [
    'base64 in a form',
    { body: `data=${encodeURIComponent(Buffer.from(JSON.stringify(CALL)).toString('base64'))}` },
  ],
  ['JSON in a form', { body: `data=${encodeURIComponent(JSON.stringify(CALL))}` }],
  ['base64 in the URL', { query: { data: Buffer.from(JSON.stringify(CALL)).toString('base64') } }],
])('reads %s', (_, request) => {
  expect(eventsIn(route, vendorRequest(request))).toEqual([expect.objectContaining({ name: 'signed up' })]);
});

it('finds the time by our clock', () => {
  const sentAt = RECEIVED_AT + 3_600_000;
  const call = { ...CALL, timestamp: new Date(sentAt - 60_000).toISOString() };
  const at = (json: object, query = {}) => eventsIn(route, vendorRequest({ json, query }))[0]!.occurredAt;
  expect(at({ batch: [call], sent_at: new Date(sentAt).toISOString() })).toBe(RECEIVED_AT - 60_000);
  expect(at(call, { _: String(sentAt) })).toBe(RECEIVED_AT - 60_000);
  expect(at({ ...CALL, offset: 3_000 })).toBe(RECEIVED_AT - 3_000);
});

it.each([
  [{ event: '$pageview' }, { name: 'pageview', url: 'https://shop.example/' }],
  [
    { event: '$screen', properties: { $screen_name: 'Home' } },
    { name: 'pageview', url: 'https://app/Home' },
  ],
  [
    {
      event: '$pageleave',
      properties: {
        $current_url: 'https://shop.example/',
        $prev_pageview_duration: 4.2,
        $prev_pageview_max_scroll_percentage: 0.55,
      },
    },
    { name: 'engagement', engagementMs: 4_200, scrollDepth: 55 },
  ],
])('understands %j', (call, expected) => {
  expect(eventOf(call)).toMatchObject(expected);
});

it('counts no events about persons, groups and flags', () => {
  const names = [
    '$identify',
    '$set',
    '$groupidentify',
    '$feature_flag_called',
    '$autocapture',
    '$web_vitals',
  ];
  const { events } = route.translate(
    vendorRequest({ json: { batch: [...names.map((event) => ({ event, distinct_id: 'd' })), {}, 5] } }),
  );
  expect(events).toEqual([...names.map(() => UNCOUNTED), null, null]);
});

it('tells its script that nothing but events is on', () => {
  const settingsAt = (path: string) =>
    (routeOf(posthog, path) as SettingsRoute).settings(vendorRequest({ parameters: { key: '"</script>' } }))
      .body;
  expect(settingsAt('/flags')).toMatchObject({ featureFlags: {}, errorsWhileComputingFlags: false });
  expect(settingsAt('/array/:key/config')).toMatchObject({ sessionRecording: false });
  expect(settingsAt('/array/:key/config.js')).not.toContain('</script>');
});

it('says in plain text what is wrong', () => {
  expect(posthog.errors({ status: 401, type: 'a', title: 'b', detail: 'c' })).toEqual({
    status: 401,
    body: 'c',
    contentType: 'text/plain',
  });
});
