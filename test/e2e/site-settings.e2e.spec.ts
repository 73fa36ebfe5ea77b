// What a site is told acts on the next event, over a real socket: what it does not want is refused by name
// and not in the log, what it wants is, and every event is accounted for.
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { type IngestApp, startIngestApp } from '../servers/ingest-app.js';

const DUTCH = '193.0.6.139'; // RIPE NCC
const BRAZILIAN = '200.160.2.3'; // NIC.br

let app: IngestApp;
let sites = 0;

beforeAll(async () => {
  app = await startIngestApp();
});
afterAll(() => app?.stop());

interface Accepted {
  readonly accepted?: number;
  readonly dropped?: number;
  readonly rejected?: readonly { readonly index: number; readonly reason: string; readonly detail: string }[];
  readonly errors?: readonly { readonly reason: string }[];
}

async function call(path: string, { method = 'POST', key = app.operatorKey, body, headers = {} }: Call) {
  const answer = await fetch(`${app.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Accepted };
}
interface Call {
  readonly method?: string;
  readonly key?: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A new site that is told this, with its domain and a public key and a server's. */
async function told(settings: object) {
  const domain = `told-${++sites}.example`;
  const { site, key } = await app.createSite(domain, ['ingest']);
  const issued = await call(`/v1/sites/${site}/keys`, { body: { name: 's', scopes: ['ingest:server'] } });
  const tell = (more: object) => call(`/v1/sites/${site}`, { method: 'PATCH', body: more });
  expect((await tell(settings)).status).toBe(200);
  return { site, domain, key, serverKey: (issued.body as { key: string }).key, tell };
}

const send = (key: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  call('/v1/events', { key, body, headers });

const loggedOf = async (site: string): Promise<readonly TrackedEvent[]> =>
  (await app.logged()).filter((event) => event.site === site);

describe('events that a site does not want', () => {
  it('are refused by name, and those beside them kept', async () => {
    const { site, serverKey, domain } = await told({
      hostnames: ['shop.example', '*.shop.example', 'internal.example'],
      exclusions: {
        countries: ['NL'],
        addresses: ['198.51.100.0/24', '2001:db8::/32'],
        pages: ['/admin/**', '/*/preview'],
        hostnames: ['internal.example'],
      },
    });
    const event = (url: string, ip: string) => ({ site: domain, url, ip });
    const wanted = [
      event('https://shop.example/', BRAZILIAN),
      event('https://www.shop.example/admin', '198.51.101.1'),
      event('https://de.shop.example/a/b/preview', '2001:db9::1'),
      { site: domain, name: 'Renewal' },
    ];
    const unwanted = [
      [event('https://shop.example/', DUTCH), 'from this country'],
      [event('https://shop.example/', '198.51.100.77'), 'from this address'],
      [event('https://shop.example/', '2001:DB8:0::1'), 'from this address'],
      [event('https://shop.example/admin/users?ref=x', BRAZILIAN), 'of this page'],
      [event('https://shop.example/x/preview', BRAZILIAN), 'of this page'],
      [event('https://internal.example/', BRAZILIAN), 'of this host'],
      [event('https://copied.example/', BRAZILIAN), 'of this host'],
    ] as const;
    const { status, body } = await send(serverKey, [...wanted, ...unwanted.map(([one]) => one)]);
    expect([status, body.accepted]).toEqual([202, wanted.length]);
    expect(body.rejected).toEqual(
      unwanted.map(([, what], n) => ({
        index: wanted.length + n,
        reason: 'excluded',
        detail: `the site keeps no events ${what}`,
      })),
    );
    const logged = await loggedOf(site);
    const urls = wanted.map((one) => ('url' in one ? one.url : undefined));
    expect(new Set(logged.map(({ url }) => url))).toEqual(new Set(urls));
    expect(logged).toHaveLength(urls.length);
    expect(JSON.stringify(logged)).not.toContain('198.51.10');
  });

  it('are in order as far as their sender is concerned: 202, unless something is wrong with them', async () => {
    const { key } = await told({ exclusions: { pages: ['/admin/**'] } });
    const admin = { url: 'https://shop.example/admin/' };
    expect(await send(key, admin)).toMatchObject({ status: 202, body: { accepted: 0 } });
    expect((await send(key, { url: '/admin/' })).status).toBe(400);
  });

  it('are told from others by what the site says now', async () => {
    const { site, key, tell } = await told({});
    const page = { url: 'https://shop.example/news' };
    expect((await send(key, page)).body.accepted).toBe(1);
    await tell({ exclusions: { pages: ['/news'] } });
    expect((await send(key, page)).body.accepted).toBe(0);
    await tell({ name: 'Renamed' });
    expect((await send(key, page)).body.accepted).toBe(0);
    await tell({ exclusions: { pages: [] } });
    expect((await send(key, page)).body.accepted).toBe(1);
    expect(await loggedOf(site)).toHaveLength(2);
  });
});

describe('a site with allowed origins', () => {
  const page = { url: 'https://shop.example/' };

  it('takes events with a public key from its own pages only, and tells every origin so', async () => {
    const { site, key } = await told({ allowedOrigins: ['shop.example', '*.shop.example'] });
    const own: Readonly<Record<string, string>>[] = [
      { origin: 'https://shop.example' },
      { origin: 'https://de.shop.example' },
      { referer: 'https://www.shop.example/a' },
    ];
    for (const headers of own) expect((await send(key, page, headers)).status).toBe(202);
    const foreign: Readonly<Record<string, string>>[] = [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'https://evil.example', referer: 'https://shop.example/' },
    ];
    for (const headers of foreign) {
      const answer = await send(key, page, headers);
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, '*']);
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
    expect(await loggedOf(site)).toHaveLength(3);
  });

  it('asks no server for an origin', async () => {
    const { site, serverKey } = await told({ allowedOrigins: ['shop.example'] });
    expect((await send(serverKey, { ...page, site })).body.accepted).toBe(1);
  });
});

describe('consent', () => {
  const page = { url: 'https://shop.example/' };

  it('is what the event says, else what the site takes its visitors to give', async () => {
    const { site, key } = await told({ consentMode: 'none' });
    const events = [page, { ...page, consent: 'cookieless' }, { ...page, consent: 'full', visitorId: 'v' }];
    expect((await send(key, events)).body).toMatchObject({ accepted: 2, dropped: 1, rejected: [] });
    expect((await loggedOf(site)).map(({ visitorGiven }) => visitorGiven)).toEqual([undefined, true]);
  });

  it('lets a page say who its visitor is, and takes agent and place from the connection still', async () => {
    const { site, key } = await told({ consentMode: 'full' });
    const headers = { 'user-agent': 'Browser/7' };
    await send(key, [{ ...page, visitorId: 'v' }, { ...page, visitorId: 'v' }, page], headers);
    const [one, two, anonymous] = await loggedOf(site);
    expect(one).toMatchObject({ visitorGiven: true, userAgent: 'Browser/7' });
    expect([two!.visitor === one!.visitor, anonymous!.visitor === one!.visitor]).toEqual([true, false]);
  });

  it('to ids that last is not to be had where the site does without', async () => {
    const { key } = await told({});
    const answer = await send(key, { ...page, visitorId: 'v', consent: 'full' });
    expect([answer.status, answer.body.errors?.[0]?.reason]).toEqual([400, 'not_allowed']);
    const unknown = await send(key, { ...page, consent: 'some' });
    expect([unknown.status, unknown.body.errors?.[0]?.reason]).toEqual([400, 'consent_invalid']);
  });
});

it('takes events under every domain of the site, and no longer under one that it gave up', async () => {
  const { site, serverKey, domain, tell } = await told({ aliases: ['told-alias.example'] });
  const event = (named: string) => ({ site: named, url: 'https://shop.example/' });
  const names = [domain, 'told-alias.example', 'WWW.Told-Alias.example', site];
  expect((await send(serverKey, names.map(event))).body.accepted).toBe(names.length);
  await tell({ domain: 'told-new.example', aliases: [] });
  expect((await send(serverKey, event('told-new.example'))).body.accepted).toBe(1);
  for (const former of names.slice(0, 2)) expect((await send(serverKey, event(former))).status).toBe(404);
  expect(await loggedOf(site)).toHaveLength(names.length + 1);
});

it('keeps the query parameters that the site keeps', async () => {
  const { site, key } = await told({ queryParameters: ['category'] });
  await send(key, { url: 'https://shop.example/?category=shoes&session=1' });
  expect((await loggedOf(site))[0]!.url).toBe('https://shop.example/?category=shoes');
});

it('accounts for every event', async () => {
  const counters = await app.telemetry.registry.getMetricsAsJSON();
  const sum = (name: string): number =>
    counters
      .find((one) => one.name === `tidemark_ingestion_events_${name}_total`)!
      .values.reduce((total, { value }) => total + value, 0);
  expect(sum('received')).toBeGreaterThan(30);
  expect(sum('received')).toBe(sum('accepted') + sum('duplicates') + sum('rejected') + sum('dropped'));
  const rejected = counters.find(({ name }) => name === 'tidemark_ingestion_events_rejected_total')!.values;
  const reasons = rejected.map(({ labels }) => (labels as { reason: string }).reason);
  expect(reasons).toEqual(expect.arrayContaining(['excluded', 'origin_not_allowed', 'not_allowed']));
  expect((await app.logged()).length).toBe(sum('accepted'));
});
