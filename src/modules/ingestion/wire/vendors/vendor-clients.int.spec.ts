// The vendors' own clients for servers, as they are published, with nothing changed but the host: what they send
// is in the log as what it means, and they are content with the answer.
import { Analytics } from '@segment/analytics-node';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { buildPageView, buildStructEvent, newTracker } from '@snowplow/node-tracker';
import { Umami } from '@umami/node';
import MatomoTracker from 'matomo-tracker';
import { PostHog } from 'posthog-node';
import type { TrackedEvent } from '../../../../events/tracked-event.js';
import { type IngestApp, startIngestApp } from '../../../../../test/servers/ingest-app.js';

const PAGE = 'https://shop.example/checkout';

let at: IngestApp;
let site: string;
let key: string;

beforeAll(async () => {
  at = await startIngestApp();
  ({ site, key } = await at.createSite('shop.example', ['ingest:server']));
});
afterAll(() => at.stop());

const logged = async (name: string): Promise<TrackedEvent> => {
  const found = (await at.logged()).filter((event) => event.name === name);
  expect(found).toHaveLength(1);
  expect(found[0]!.site).toBe(site);
  return found[0]!;
};

it('@segment/analytics-node', async () => {
  const analytics = new Analytics({ writeKey: key, host: at.url, maxEventsInBatch: 10 });
  const errors: unknown[] = [];
  analytics.on('error', (error) => errors.push(error));
  analytics.track({
    anonymousId: 'anonymous',
    event: 'segment order',
    messageId: 'segment-1',
    properties: { revenue: 12.5, currency: 'EUR', plan: 'pro' },
    context: { page: { url: PAGE }, userAgent: 'Browser/1', ip: '192.0.2.7' },
  });
  analytics.identify({ userId: 'user', traits: { plan: 'pro' } });
  await analytics.closeAndFlush();
  expect(errors).toEqual([]);
  expect(await logged('segment order')).toMatchObject({
    id: 'segment-1',
    url: PAGE,
    userAgent: 'Browser/1',
    visitorGiven: true,
    revenue: { amount: '12.5', currency: 'EUR' },
    props: { plan: 'pro' },
  });
});

it('@rudderstack/rudder-sdk-node', async () => {
  const client = new RudderAnalytics(key, { dataPlaneUrl: at.url, gzip: true });
  client.track({
    userId: 'user',
    event: 'rudder order',
    properties: { plan: 'pro' },
    context: { page: { url: PAGE } },
  });
  await client.flush();
  expect(await logged('rudder order')).toMatchObject({
    url: PAGE,
    visitorGiven: true,
    props: { plan: 'pro' },
  });
});

it('posthog-node', async () => {
  const posthog = new PostHog(key, { host: at.url });
  posthog.capture({
    distinctId: 'visitor',
    event: 'posthog order',
    properties: { $current_url: PAGE, plan: 'pro' },
  });
  await posthog.shutdown();
  expect(await logged('posthog order')).toMatchObject({
    url: PAGE,
    visitorGiven: true,
    props: { plan: 'pro' },
  });
});

it('@umami/node', async () => {
  const umami = new Umami({ websiteId: 'shop.example', hostUrl: at.url });
  const answer = await umami.track({
    url: '/checkout',
    hostname: 'shop.example',
    name: 'umami order',
    data: { plan: 'pro' },
  });
  expect(answer.status).toBe(200);
  expect(await logged('umami order')).toMatchObject({ url: PAGE, props: { plan: 'pro' } });
});

it('matomo-tracker', async () => {
  const matomo = new MatomoTracker('shop.example', `${at.url}/matomo.php`);
  const answered = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      matomo.on('error', reject);
      matomo.track({ url: PAGE, e_c: 'shop', e_a: 'matomo order', token_auth: key, cip: '192.0.2.7' });
      setTimeout(resolve, 500);
    });
  await answered();
  expect(await logged('matomo order')).toMatchObject({ url: PAGE, props: { category: 'shop' } });
  const bulk = await new Promise<string>((resolve) =>
    matomo.trackBulk(
      [
        { url: PAGE, action_name: 'one' },
        { url: PAGE, action_name: 'two' },
      ],
      resolve,
    ),
  );
  expect(JSON.parse(bulk)).toEqual({ status: 'success', tracked: 2, invalid: 0 });
});

it('@snowplow/node-tracker', async () => {
  const { hostname, port } = new URL(at.url);
  const statuses: number[] = [];
  const tracker = newTracker(
    { namespace: 'test', appId: 'shop.example', encodeBase64: true },
    {
      endpoint: hostname,
      port: Number(port),
      protocol: 'http',
      bufferSize: 1,
      onRequestSuccess: (_batch, { status }) => statuses.push(status),
      onRequestFailure: ({ status }) => statuses.push(status ?? 0),
    },
  );
  tracker.track(buildPageView({ pageUrl: PAGE, pageTitle: 'Checkout' }));
  tracker.track(buildStructEvent({ category: 'shop', action: 'snowplow order', value: 3 }));
  await tracker.flush();
  await until(() => statuses.length > 0);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await logged('snowplow order')).toMatchObject({ props: { category: 'shop', value: 3 } });
  const pages = (await at.logged()).filter(({ name, title }) => name === 'pageview' && title === 'Checkout');
  expect(pages).toEqual([expect.objectContaining({ url: PAGE })]);
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !holds(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
