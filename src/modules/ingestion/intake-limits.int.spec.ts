// What intake takes of a site in a second and of a merchant in a month, over real sockets: two nodes on one PostgreSQL,
// and a flood on one site beside another's ordinary traffic.
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../../test/redis-node.js';
import { type IngestApp, startIngestApp } from '../../../test/servers/ingest-app.js';
import { endOfMonth, monthOf } from '../auth/quotas/usage-month.js';

/** Low, so that it is exceeded on a busy machine, too. */
const RATE = 10;
const BURST = 20;
const PEPPER = 'a pepper that both of the nodes are given';
const SECONDS_A_MONTH_MAX = 31 * 86_400;

let app: IngestApp;
let other: IngestApp;

beforeAll(async () => {
  app = await startIngestApp({ KEY_PEPPER: PEPPER });
  const { databaseUrl: DATABASE_URL, operatorKey: OPERATOR_KEY } = app;
  other = await startIngestApp({ KEY_PEPPER: PEPPER, DATABASE_URL, OPERATOR_KEY });
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

const call = async (method: string, path: string, { body, at = app, headers = {} }: CallOptions = {}) => {
  const response = await fetch(`${at.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${app.operatorKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what the tests look into
  const answered: any = isJson ? JSON.parse(text) : text;
  return {
    status: response.status,
    headers: response.headers,
    body: answered,
  };
};
interface CallOptions {
  readonly body?: unknown;
  readonly at?: IngestApp;
  readonly headers?: Readonly<Record<string, string>>;
}

const newMerchant = async (eventsPerMonth?: number, gracePercent = 0): Promise<string> => {
  const { id } = (await call('POST', '/admin/v1/merchants', { body: { name: 'm' } })).body;
  if (eventsPerMonth !== undefined) await setQuota(id, { eventsPerMonth, gracePercent });
  return id;
};
const setQuota = (merchant: string, body: unknown, headers = {}) =>
  call('PUT', `/admin/v1/merchants/${merchant}/quota`, { body, headers });
const send = (key: string, { events = 1, at = app, headers = {} }: SendOptions = {}) => {
  const event = { url: 'https://shop.example/' };
  const body = events === 1 ? event : Array.from({ length: events }, () => event);
  return call('POST', '/v1/events', { body, at, headers: { authorization: `Bearer ${key}`, ...headers } });
};
interface SendOptions {
  readonly events?: number;
  readonly at?: IngestApp;
  readonly headers?: Readonly<Record<string, string>>;
}
const usedBy = async (merchant: string) =>
  (await call('GET', `/v1/merchant/quota?merchant=${merchant}`)).body;

describe('the quota of a merchant', () => {
  it('is unlimited until an operator sets it, and then holds for all its sites, on every node', async () => {
    const merchant = await newMerchant();
    const sites = [
      await app.createSite('one.example', ['ingest'], merchant),
      await app.createSite('two.example', ['ingest'], merchant),
    ];
    expect(await usedBy(merchant)).toMatchObject({ isDefault: true, eventsPerMonth: null, usedEvents: 0 });
    const set = await setQuota(merchant, { eventsPerMonth: 10, gracePercent: 20, policy: 'refuse' });
    expect([set.status, set.headers.get('etag')]).toEqual([200, '"1"']);
    for (let event = 0; event < 12; event++) {
      expect((await send(sites[event % 2]!.key)).status).toBe(202);
    }
    const refused = await send(sites[0]!.key);
    expect(refused).toMatchObject({ status: 429, body: { type: '/problems/quota-exceeded' } });
    const retryAfterSeconds = Number(refused.headers.get('retry-after'));
    const restSeconds = (endOfMonth(monthOf(Date.now())) - Date.now()) / 1000;
    expect(Math.abs(retryAfterSeconds - restSeconds)).toBeLessThan(10);
    expect(retryAfterSeconds).toBeLessThanOrEqual(SECONDS_A_MONTH_MAX);
    await until(async () => (await usedBy(merchant)).usedEvents === 12);
    // The other node takes what comes before it has read what is used.
    await until(async () => (await send(sites[1]!.key, { at: other })).status === 429);
    await until(async () => (await usedBy(merchant)).warnedPercent === 120);
    expect((await usedBy(merchant)).usedEvents).toBeLessThan(12 + 12);
    expect(await counted(app, 'requests_refused', 'quota_exceeded')).toBeGreaterThan(0);
    // Whoever gets more goes on at once.
    await setQuota(merchant, { eventsPerMonth: 1000 });
    expect((await send(sites[0]!.key)).status).toBe(202);
  });

  it('refuses every key of the merchant before a body is read, and nobody else', async () => {
    const merchant = await newMerchant(0);
    const { key } = await app.createSite('unread.example', ['ingest'], merchant);
    const body = { name: 'k', merchant, scopes: ['ingest:server'] };
    const ofMerchant = (await call('POST', '/v1/keys', { body })).body.key;
    for (const one of [key, ofMerchant]) {
      const headers = { authorization: `Bearer ${one}`, 'content-type': 'application/json' };
      const refused = await fetch(`${app.url}/v1/events`, { method: 'POST', headers, body: '{"broken' });
      const { type } = (await refused.json()) as { type: string };
      expect([refused.status, type]).toEqual([429, '/problems/quota-exceeded']);
    }
  });

  it('stops nobody else', async () => {
    const { key } = await app.createSite('used-up.example', ['ingest'], await newMerchant(0));
    const neighbour = await app.createSite('neighbour.example', ['ingest'], await newMerchant(1));
    expect((await send(key)).status).toBe(429);
    expect((await send(neighbour.key)).status).toBe(202);
  });

  it('is changed by whoever has seen it as it is', async () => {
    const merchant = await newMerchant(5);
    const stale = await setQuota(merchant, { eventsPerMonth: 6 }, { 'if-match': '"0"' });
    expect([stale.status, stale.headers.get('etag')]).toEqual([409, '"1"']);
    const seen = await setQuota(merchant, { eventsPerMonth: 6 }, { 'if-match': '"1"' });
    expect([seen.status, seen.headers.get('etag'), seen.body.eventsPerMonth]).toEqual([200, '"2"', 6]);
    const read = await call('GET', `/admin/v1/merchants/${merchant}/quota`);
    expect([read.body, read.headers.get('etag')]).toEqual([seen.body, '"2"']);
  });

  it.each([
    [{}, 'eventsPerMonth'],
    [{ eventsPerMonth: -1 }, 'eventsPerMonth'],
    [{ eventsPerMonth: '5' }, 'eventsPerMonth'],
    [{ eventsPerMonth: 1e13 }, 'eventsPerMonth'],
    [{ eventsPerMonth: 5, gracePercent: 1001 }, 'gracePercent'],
    [{ eventsPerMonth: 5, policy: 'show' }, 'policy'],
    [{ eventsPerMonth: 5, policy: 'sample', samplePercent: 100 }, 'samplePercent'],
    [{ eventsPerMonth: 5, more: 1 }, 'more'],
  ])('with %j is refused, naming what is wrong', async (body, path) => {
    const { status, body: problem } = await setQuota('default', body);
    expect([status, problem.errors[0].path]).toEqual([400, path]);
  });

  it('is the operator’s to set, and of a merchant that there is', async () => {
    expect((await setQuota('nobody', { eventsPerMonth: 5 })).status).toBe(404);
    const scopes = ['stats:read', 'sites:admin'];
    const { key } = (
      await call('POST', '/v1/keys', { body: { name: 'k', scopes, merchant: await newMerchant() } })
    ).body;
    const headers = { authorization: `Bearer ${key}` };
    expect((await setQuota('default', { eventsPerMonth: 5 }, headers)).status).toBe(403);
    expect((await call('GET', '/v1/merchant/usage?merchant=default', { headers })).status).toBe(403);
    expect((await call('GET', '/v1/merchant/usage', { headers })).body).toMatchObject({
      events: 0,
      sites: [],
    });
    const ofSite = await app.createSite('one-key.example', ['stats:read']);
    for (const path of ['/v1/merchant/usage', '/v1/merchant/quota']) {
      const answer = await call('GET', path, { headers: { authorization: `Bearer ${ofSite.key}` } });
      expect(answer.status).toBe(403);
    }
  });
});

describe('beyond a quota that does not refuse', () => {
  const MANY = 40;
  /** Over the quota by now, and known to be. */
  const overrun = async (quota: object) => {
    const merchant = await newMerchant();
    expect((await setQuota(merchant, quota)).status).toBe(200);
    const { site, key } = await app.createSite(`${merchant.toLowerCase()}.example`, ['ingest'], merchant);
    for (let event = 0; event < 5; event++) expect((await send(key)).body.accepted).toBe(1);
    await until(async () => {
      await send(key);
      return (await usedBy(merchant)).excesses.length > 0;
    });
    return { merchant, site, key };
  };
  const from = (index: number) => ({ headers: { 'user-agent': `Browser/${index}` } });

  it('what is hidden is taken as ever, from the next whole hour on, and told apart', async () => {
    const { merchant, key } = await overrun({ eventsPerMonth: 5, policy: 'hide' });
    const quota = await usedBy(merchant);
    const endOfHour = Math.ceil(Date.now() / 3_600_000) * 3_600_000;
    expect(quota).toMatchObject({ policy: 'hide', isOver: true, hiddenEvents: 0, droppedEvents: 0 });
    expect(quota.excesses).toEqual([
      {
        ...{ policy: 'hide', samplePercent: null, from: new Date(endOfHour).toISOString() },
        to: new Date(endOfMonth(monthOf(Date.now()))).toISOString(),
      },
    ]);
    expect((await send(key)).body).toMatchObject({ accepted: 1, rejected: [] });
    const path = `/admin/v1/merchants/${merchant}/quota`;
    expect((await call('POST', `${path}/reveal`, { body: { month: '2026-1' } })).status).toBe(400);
    const revealed = await call('POST', `${path}/reveal`, { body: { month: monthOf(Date.now()) } });
    expect([revealed.status, revealed.body.excesses]).toEqual([200, []]);
    await send(key);
    await delay(2_500);
    expect((await usedBy(merchant)).excesses).toEqual([]);
  });

  it('of sampled visitors all is taken, of the others nothing, and every event is accounted for', async () => {
    const { merchant, site, key } = await overrun({ eventsPerMonth: 5, policy: 'sample', samplePercent: 30 });
    const before = (await usedBy(merchant)).usedEvents;
    const droppedBefore = await counted(app, 'events_dropped', 'quota_sampled');
    let accepted = 0;
    for (let visitor = 0; visitor < MANY; visitor++) {
      const answers = [await send(key, from(visitor)), await send(key, from(visitor))];
      expect(answers.map(({ status }) => status)).toEqual([202, 202]);
      const [first, second] = answers.map(({ body }) => [body.accepted, body.dropped ?? 0]);
      expect(second).toEqual(first);
      accepted += answers[0]!.body.accepted + answers[1]!.body.accepted;
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(2 * MANY);
    const dropped = 2 * MANY - accepted;
    expect((await counted(app, 'events_dropped', 'quota_sampled')) - droppedBefore).toBe(dropped);
    await until(async () => (await usedBy(merchant)).usedEvents >= before + accepted);
    const usage = (await call('GET', `/v1/merchant/usage?merchant=${merchant}`)).body;
    expect(usage).toMatchObject({ policy: 'sample', hiddenEvents: 0, excesses: [{ samplePercent: 30 }] });
    expect(usage.droppedEvents).toBeGreaterThanOrEqual(dropped);
    expect(usage.sites).toMatchObject([{ site, droppedEvents: usage.droppedEvents }]);
    // Whoever may send more is sampled no longer, and what is missing stays said.
    await setQuota(merchant, { eventsPerMonth: 1_000_000, policy: 'sample' });
    for (let visitor = 0; visitor < 10; visitor++) {
      expect((await send(key, from(visitor))).body.accepted).toBe(1);
    }
    expect((await usedBy(merchant)).excesses).toHaveLength(1);
  });

  it('the installation’s default holds again once a quota is taken back', async () => {
    const merchant = await newMerchant(0);
    const path = `/admin/v1/merchants/${merchant}/quota`;
    const stale = await call('DELETE', path, { headers: { 'if-match': '"0"' } });
    expect(stale.status).toBe(409);
    const removed = await call('DELETE', path);
    expect([removed.status, removed.headers.get('etag')]).toEqual([200, '"2"']);
    expect(removed.body).toMatchObject({ isDefault: true, eventsPerMonth: null, policy: 'refuse' });
    expect((await call('DELETE', path)).headers.get('etag')).toBe('"2"');
    const { key } = await app.createSite('back.example', ['ingest'], merchant);
    expect((await send(key)).status).toBe(202);
    const audit = await call('GET', '/admin/v1/audit?limit=1000');
    for (const type of ['QuotaRemoved', 'QuotaExceeded', 'QuotaRevealed']) {
      expect(JSON.stringify(audit.body)).toContain(type);
    }
  });
});

describe('an address', () => {
  let narrow: IngestApp;
  beforeAll(async () => {
    narrow = await startIngestApp({ INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX: '2', TRUST_PROXY: 'loopback' });
  });
  afterAll(() => narrow.stop());

  it('may send a burst, then its rate; others, and servers, are not held back by it', async () => {
    const { site, key } = await narrow.createSite('addresses.example', ['ingest']);
    const as = (address: string) => ({ at: narrow, headers: { 'x-forwarded-for': address } });
    const first = await send(key, { ...as('192.0.2.1'), events: 15 });
    expect([first.status, first.headers.get('ratelimit-limit')]).toEqual([202, '20']);
    expect(Number(first.headers.get('ratelimit-remaining'))).toBeLessThanOrEqual(6);
    const refused = await send(key, { ...as('192.0.2.1'), events: 15 });
    expect(refused).toMatchObject({ status: 429, body: { type: '/problems/too-many-requests' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await counted(narrow, 'events_rejected', 'address_limited')).toBe(15);
    expect((await send(key, as('192.0.2.2'))).status).toBe(202);
    const scopes = ['ingest', 'ingest:server'];
    const made = await call('POST', `/v1/sites/${site}/keys`, {
      ...{ at: narrow, body: { name: 'k', scopes } },
      headers: { authorization: `Bearer ${narrow.operatorKey}` },
    });
    const ofServer = await send(made.body.key, { ...as('192.0.2.1'), events: 50 });
    expect([ofServer.status, ofServer.body.accepted]).toEqual([202, 50]);
    expect(JSON.stringify(await narrow.logged())).not.toContain('192.0.2');
  });

  it('may ask for as many images', async () => {
    await narrow.createSite('images.example', ['ingest']);
    const url = encodeURIComponent('https://images.example/');
    const ask = () =>
      fetch(`${narrow.url}/v1/pixel.gif?site=images.example&url=${url}`, {
        headers: { 'x-forwarded-for': '192.0.2.3' },
      });
    const first = await ask();
    expect([first.status, first.headers.get('ratelimit-limit')]).toEqual([200, '20']);
    let refused = await ask();
    for (let asked = 2; asked < 40 && refused.status !== 429; asked++) refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toMatch('application/problem+json');
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });
});

describe('usage', () => {
  it('is told by site and month, page by page and as CSV', async () => {
    const merchant = await newMerchant();
    const expected: { site: string; domain: string; events: number }[] = [];
    for (const [index, domain] of ['a.usage.example', 'b.usage.example', 'c.usage.example'].entries()) {
      const { site, key } = await app.createSite(domain, ['ingest'], merchant);
      await send(key, { events: index + 1 });
      expected.push({ site, domain, events: index + 1 });
    }
    expected.sort((a, b) => (a.site < b.site ? -1 : 1));
    const path = `/v1/merchant/usage?merchant=${merchant}`;
    await until(async () => (await call('GET', path)).body.events === 6);
    const month = monthOf(Date.now());
    const first = (await call('GET', `${path}&limit=2&month=${month}`)).body;
    expect(first).toMatchObject({ merchant, month, events: 6, sites: expected.slice(0, 2) });
    const second = (await call('GET', `${path}&limit=2&cursor=${first.next_cursor}`)).body;
    expect(second).toMatchObject({ sites: expected.slice(2), next_cursor: null });
    const csv = await call('GET', path, { headers: { accept: 'text/csv' } });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.body).toBe(
      [
        'site,domain,events,hidden,dropped',
        ...expected.map((one) => `${one.site},${one.domain},${one.events},0,0`),
        '',
      ].join('\r\n'),
    );
    expect((await call('GET', `${path}&month=2020-02`)).body).toMatchObject({ events: 0, sites: [] });
    for (const wrong of ['2026-13', '2026-1', '26-11', "2026-11'"]) {
      expect((await call('GET', `${path}&month=${encodeURIComponent(wrong)}`)).status).toBe(400);
    }
    await call('DELETE', `/v1/sites/${expected[0]!.site}`);
    const later = (await call('GET', path)).body;
    expect([later.events, later.sites[0].domain]).toEqual([6, null]);
  });
});

describe('a flood of one site', () => {
  let narrow: IngestApp;
  beforeAll(async () => {
    narrow = await startIngestApp({
      ...{ SITE_EVENTS_PER_SECOND_MAX: `${RATE}`, SITE_BURST_SECONDS: '2' },
      INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX: '0',
    });
  });
  afterAll(() => narrow.stop());

  it('is answered 429 with Retry-After, and its neighbour is not', async () => {
    const flooded = await narrow.createSite('flooded.example', ['ingest']);
    const neighbour = await narrow.createSite('beside.example', ['ingest']);
    const startedMs = performance.now();
    const statuses: number[] = [];
    let isOver = false;
    const flood = Promise.all(
      Array.from({ length: 20 }, async () => {
        while (!isOver) {
          const { status, headers } = await send(flooded.key, { at: narrow });
          statuses.push(status);
          if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
          expect(headers.get('ratelimit-limit')).toBe(`${BURST}`);
        }
      }),
    );
    const beside: number[] = [];
    while (performance.now() - startedMs < 3_000) {
      beside.push((await send(neighbour.key, { at: narrow })).status);
      await delay(1000 / RATE);
    }
    isOver = true;
    await flood;
    const seconds = (performance.now() - startedMs) / 1000;
    const accepted = statuses.filter((status) => status === 202).length;
    expect(new Set(statuses)).toEqual(new Set([202, 429]));
    expect(accepted).toBeGreaterThanOrEqual(BURST);
    expect(accepted).toBeLessThanOrEqual(BURST + seconds * RATE);
    expect(new Set(beside)).toEqual(new Set([202]));
    const logged = (await narrow.logged()).filter(({ site }) => site === flooded.site);
    expect(logged).toHaveLength(accepted);
  });

  describe('once it is held off', () => {
    const BROKEN = '{"url":';
    let flooded: { site: string; key: string };
    let merchant: string;
    const post = (key: string, body: string) =>
      fetch(`${narrow.url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body,
      });
    /** By an operator of its own. */
    const made = async (path: string, body: object) => {
      const headers = { authorization: `Bearer ${narrow.operatorKey}` };
      return (await call('POST', path, { body, at: narrow, headers })).body;
    };
    let floods = 0;

    beforeEach(async () => {
      merchant = (await made('/admin/v1/merchants', { name: 'm' })).id;
      flooded = await narrow.createSite(`held-${++floods}.example`, ['ingest'], merchant);
      await until(async () => (await send(flooded.key, { events: 50, at: narrow })).status === 429);
    });

    it('is refused before a body is read, says so to pages of any origin, and is counted', async () => {
      const before = await counted(narrow, 'requests_refused', 'rate_limited');
      const received = await counted(narrow, 'events_received');
      // Whoever reads it would answer 400 to the one, and 413 to the other.
      for (const body of [BROKEN, ' '.repeat(1_100_000)]) {
        const refused = await post(flooded.key, body);
        expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([429, '*']);
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        expect(refused.headers.get('content-type')).toMatch('application/problem+json');
      }
      expect(await counted(narrow, 'requests_refused', 'rate_limited')).toBe(before + 2);
      expect(await counted(narrow, 'events_received')).toBe(received);
    });

    it('leaves to the handler what its key does not decide', async () => {
      const body = { name: 'k', merchant, scopes: ['ingest:server'] };
      const { key } = await made('/v1/keys', body);
      const neighbour = await narrow.createSite(`beside-held-${floods}.example`, ['ingest'], merchant);
      const event = (site: string) => JSON.stringify({ site, url: 'https://shop.example/' });
      const statuses = [
        await post(key, event(neighbour.site)),
        await post(key, event(flooded.site)),
        await post(key, BROKEN),
        await post(neighbour.key, event(neighbour.site)),
        await post(`${flooded.key}x`, event(flooded.site)),
      ].map(({ status }) => status);
      expect(statuses).toEqual([202, 429, 400, 202, 401]);
      const reader = (await made(`/v1/sites/${flooded.site}/keys`, { name: 'r', scopes: ['stats:read'] }))
        .key;
      expect((await post(reader, event(flooded.site))).status).toBe(403);
    });

    it('is let in again when there is something in its bucket', async () => {
      await until(async () => (await send(flooded.key, { at: narrow })).status === 202);
    });
  });

  it('is cut within a request, too: what is beyond the rate is named, one by one', async () => {
    const { key } = await narrow.createSite('batched.example', ['ingest']);
    const { status, body, headers } = await send(key, { events: 50, at: narrow });
    // A token comes back every 100 ms.
    expect([status, Math.abs(body.accepted - BURST) < 10]).toEqual([202, true]);
    expect(Number(headers.get('ratelimit-remaining'))).toBeLessThan(2);
    expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect(body.accepted + body.rejected.length).toBe(50);
    expect(body.rejected.at(-1)).toMatchObject({ index: 49, reason: 'rate_limited', retryAfterSeconds: 1 });
    expect(await send(key, { at: narrow })).toMatchObject({
      status: 429,
      body: { type: '/problems/too-many-requests' },
    });
  });
});

async function counted(at: IngestApp, what: string, reason?: string): Promise<number> {
  const metric = at.telemetry.registry.getSingleMetric(`tidemark_ingestion_${what}_total`);
  const { values } = await metric!.get();
  return values.find(({ labels }) => labels['reason'] === reason)?.value ?? 0;
}
