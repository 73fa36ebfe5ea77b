// Shared links over HTTP, on a real PostgreSQL, with the query side: what those see who came by one, what they do
// not, and when it ends.
import type { ControlPlane } from '../../../../test/servers/control-plane.js';
import { Members } from '../../../../test/servers/members.js';
import { type QuerySide, startQuerySide } from '../../../../test/servers/query-side.js';
import { CallerStanding } from '../caller-standing.js';
import type { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { SigningKeys } from '../people/tokens/signing-keys.js';
import { callerOf, LinkSessions } from './link-sessions.js';
import { SharedLinkDirectory } from './shared-link.directory.js';

const PASSWORD = 'correct horse battery staple';
const QUERY = { metrics: ['visitors'], date_range: '7d' };
const GUESSES_MAX = 5;

let side: QuerySide;
let plane: ControlPlane;

beforeAll(async () => {
  side = await startQuerySide({
    environment: {
      AUTH_GUESSES_PER_ACCOUNT_MAX: String(GUESSES_MAX),
      AUTH_GUESSES_PER_ADDRESS_MAX: '1000',
      REFUSED_KEYS_PER_MINUTE_MAX: '10000',
      KEY_REQUESTS_PER_MINUTE_MAX: '10000',
      PASSWORD_HASH_COST: '14',
    },
  });
  ({ plane } = side);
}, 60_000);
afterAll(() => side?.stop());

let sites = 0;
async function freshSite(merchant?: string): Promise<{ id: string; domain: string }> {
  const body = { domain: `of-links-${++sites}.example`, ...(merchant !== undefined && { merchant }) };
  return (await plane.call('POST', '/v1/sites', { body })).body;
}
const share = async (site: string, body: object = {}) =>
  plane.call('POST', `/v1/sites/${site}/shared-links`, { body: { name: 'a link', ...body } });
const open = (token: string) => plane.call('GET', `/v1/shared/${token}`, { key: null });
const begin = (token: string, body: object = {}) =>
  plane.call('POST', `/v1/shared/${token}/session`, { key: null, body });
const ask = async (site: string, key: string) =>
  (await plane.call('POST', `/v1/sites/${site}/query`, { key, body: QUERY })).status;

/** A site that is shared, and the token of somebody who came by the link. */
async function visited(body: object = {}) {
  const site = await freshSite();
  const link = (await share(site.id, body)).body;
  const key: string = (await begin(link.token, { password: PASSWORD })).body.access_token;
  return { site, link, key, path: `/v1/sites/${site.id}/shared-links/${link.id}` };
}

describe('managing shared links', () => {
  it('creates, lists, changes and deletes them, and shows their token again', async () => {
    const site = await freshSite();
    const body = { name: 'Agency', embeddable: true, allowedHosts: ['intranet.example'] };
    const made = await share(site.domain, body);
    expect(made).toMatchObject({ status: 201, headers: { etag: '"0"', 'cache-control': 'no-store' } });
    expect(made.body).toEqual({
      ...body,
      id: expect.stringMatching(/^l\w{11}$/),
      token: expect.stringMatching(/^l\w{11}\.[\w-]{32}$/),
      url: `http://localhost:3000/v1/shared/${made.body.token}`,
      hasPassword: false,
      expiresAt: null,
      createdAt: expect.any(String),
    });
    const path = `/v1/sites/${site.id}/shared-links`;
    expect(made.headers.location).toBe(`${path}/${made.body.id}`);
    expect((await plane.call('GET', path)).body).toEqual({ sharedLinks: [made.body], next_cursor: null });
    const change = { name: 'Another', embeddable: false, expiresAt: '2030-01-01T00:00:00.000Z' };
    const changed = await plane.call('PATCH', `${path}/${made.body.id}`, { body: change });
    expect([changed.body, changed.headers.etag]).toEqual([{ ...made.body, ...change }, '"1"']);
    expect((await plane.call('GET', `${path}/${made.body.id}`)).body).toEqual(changed.body);
    expect((await plane.call('DELETE', `${path}/${made.body.id}`)).status).toBe(204);
    expect((await plane.call('GET', `${path}/${made.body.id}`)).status).toBe(404);
    expect((await plane.call('GET', path)).body.sharedLinks).toEqual([]);
  });

  it('are known from a snapshot as from the events', async () => {
    const { link, site } = await visited({ expiresAt: '2030-01-01T00:00:00.000Z', password: PASSWORD });
    const links = plane.app.get(SharedLinkDirectory);
    const follower = { follow: () => undefined } as unknown as DirectoryFollower;
    const restored = new SharedLinkDirectory(follower, plane.app.get(SiteDirectory));
    for (const line of links.lines()) restored.restore(line);
    expect(restored.byId(link.id)).toEqual(links.byId(link.id));
    expect(restored.listOfSite(site.id)).toEqual(links.listOfSite(site.id));
    restored.clear();
    expect([...restored.lines()]).toEqual([]);
  });

  it('refuses whoever has seen an older one', async () => {
    const { path } = await visited();
    await plane.call('PATCH', path, { body: { name: 'newer' } });
    const headers = { 'if-match': '"0"' };
    for (const [method, body] of [
      ['PATCH', { name: 'x' }],
      ['DELETE', undefined],
    ] as const) {
      const refused = await plane.call(method, path, { headers, body });
      expect([refused.status, refused.headers.etag]).toEqual([409, '"1"']);
    }
  });

  it('makes one of a request that is sent twice', async () => {
    const site = await freshSite();
    const headers = { 'idempotency-key': '8e03978e-40d5-43dd-bc93-6894a57f9324' };
    const path = `/v1/sites/${site.id}/shared-links`;
    const [one, two] = [
      await plane.call('POST', path, { headers, body: { name: 'once' } }),
      await plane.call('POST', path, { headers, body: { name: 'once' } }),
    ];
    expect(two.body).toEqual(one.body);
    expect((await plane.call('GET', path)).body.sharedLinks).toHaveLength(1);
  });

  it.each([
    [{ name: ' ' }, 'name'],
    [{ password: 'short' }, 'password'],
    [{ password: 'aaaaaaaaaaaaaa' }, 'password'],
    [{ allowedHosts: ['http://x/y'] }, 'allowedHosts'],
    [{ embeddable: 'yes' }, 'embeddable'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ merchant: 'm1' }, 'merchant'],
  ])('refuses %j, naming what is wrong', async (body, path) => {
    const refused = await share(side.site, body);
    expect([refused.status, refused.body.errors[0].path]).toEqual([400, path]);
  });

  it('stores neither token nor hash so that they could be read', async () => {
    const { link } = await visited({ password: PASSWORD });
    const { rows } = await side.postgres.pool.query(
      `SELECT data::text AS text FROM event_store.events WHERE stream = $1`,
      [`link-${link.id}`],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].text).not.toMatch(/scrypt/);
    expect(rows[0].text).not.toContain(link.token.split('.')[1]);
    const audit = await plane.call('GET', `/admin/v1/audit?stream=link-${link.id}`);
    expect(audit.body.entries).toHaveLength(1);
    expect(Object.keys(audit.body.entries[0].data)).not.toContain('password');
  });
});

describe('a key that expires', () => {
  const endsAt = new Date(Date.now() + 86_400_000).toISOString();
  const later = new Date(Date.now() + 2 * 86_400_000).toISOString();
  const sooner = new Date(Date.now() + 3_600_000).toISOString();

  it('makes links that end when it does, or sooner, and no others', async () => {
    const site = await freshSite();
    const path = `/v1/sites/${site.id}/shared-links`;
    const issue = { name: 'lent', scopes: ['sites:admin'], expiresAt: endsAt };
    const { key } = (await plane.call('POST', `/v1/sites/${site.id}/keys`, { body: issue })).body;
    const make = (body: object) => plane.call('POST', path, { key, body: { name: 'l', ...body } });
    expect((await make({})).body.expiresAt).toBe(endsAt);
    const made = (await make({ expiresAt: sooner })).body;
    expect(made.expiresAt).toBe(sooner);
    const outlasting = await make({ expiresAt: later });
    expect([outlasting.status, outlasting.body.detail]).toEqual([403, expect.stringContaining(endsAt)]);
    const change = async (expiresAt: string | null) =>
      (await plane.call('PATCH', `${path}/${made.id}`, { key, body: { expiresAt } })).status;
    expect([await change(later), await change(null), await change(endsAt)]).toEqual([403, 403, 200]);
    // Whoever does not end is not bound, and what does not touch the end is left alone.
    expect((await plane.call('PATCH', `${path}/${made.id}`, { body: { expiresAt: null } })).status).toBe(200);
    const renamed = await plane.call('PATCH', `${path}/${made.id}`, { key, body: { name: 'renamed' } });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'renamed', expiresAt: null } });
  });
});

describe('whoever has a link', () => {
  it('is told what it shows, and no ids', async () => {
    const { site, link } = await visited({ embeddable: true, allowedHosts: ['*.partner.example'] });
    const shown = await open(link.token);
    expect([shown.status, shown.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(shown.body).toEqual({
      site: { domain: site.domain, name: site.domain, timezone: 'UTC', currency: 'EUR' },
      passwordRequired: false,
      embeddable: true,
      allowedHosts: ['*.partner.example'],
      expiresAt: null,
    });
  });

  it('sees numbers, realtime and definitions of the site, and nothing else', async () => {
    const { site, key } = await visited();
    const of = `/v1/sites/${site.domain}`;
    expect(await ask(site.domain, key)).toBe(200);
    for (const path of ['/realtime', '/goals', '/segments', '/funnels', '/annotations']) {
      expect([path, (await plane.call('GET', of + path, { key })).status]).toEqual([path, 200]);
    }
    const steps = [{ pagePath: '/' }, { pagePath: '/cart' }];
    const funnel = { key, body: { steps, date_range: '7d' } };
    expect((await plane.call('POST', `${of}/funnels/query`, funnel)).status).toBe(200);
    for (const [method, path, body] of [
      ['GET', of],
      ['GET', '/v1/sites'],
      ['PATCH', of, { name: 'x' }],
      ['DELETE', of],
      ['GET', `${of}/keys`],
      ['GET', `${of}/shared-links`],
      ['POST', `${of}/shared-links`, { name: 'x' }],
      ['POST', `${of}/goals`, { name: 'x', eventName: 'x' }],
      ['POST', `${of}/exports`, { what: 'sessions', date_range: '7d' }],
      ['GET', `${of}/jobs`],
      ['GET', '/v1/merchant'],
      ['GET', '/v1/merchant/members'],
      ['GET', '/v1/me'],
      ['PATCH', '/v1/me', { name: 'x' }],
      ['GET', '/admin/v1/audit'],
    ] as const) {
      const { status } = await plane.call(method, path, { key, body });
      expect([method, path, status]).toEqual([method, path, 403]);
    }
    const later = { key, body: QUERY, headers: { prefer: 'respond-async' } };
    expect((await plane.call('POST', `${of}/query`, later)).status).toBe(403);
  });

  it('finds no site but the one, among three merchants', async () => {
    const members = new Members(plane);
    const merchants = [
      await members.register('l1'),
      await members.register('l2'),
      await members.register('l3'),
    ];
    const theirs = await Promise.all(
      merchants.map(async (merchant) => {
        const [site, beside] = [await freshSite(merchant), await freshSite(merchant)];
        const link = (await share(site.id)).body;
        return { site, beside, link, key: (await begin(link.token)).body.access_token as string };
      }),
    );
    for (const { site, key } of theirs) {
      for (const other of theirs.flatMap((one) => [one.site, one.beside])) {
        expect(await ask(other.id, key)).toBe(other.id === site.id ? 200 : 404);
      }
    }
    const [own, other] = theirs;
    const person = ['l1', merchants[0]!] as const;
    const here = `/v1/sites/${own!.site.id}/shared-links`;
    expect((await members.call(person, ['GET', here])).body.sharedLinks).toHaveLength(1);
    for (const path of [
      `/v1/sites/${other!.site.id}/shared-links/${other!.link.id}`,
      `${here}/${other!.link.id}`,
      `/v1/sites/${own!.beside.id}/shared-links/${own!.link.id}`,
    ]) {
      expect((await members.call(person, ['DELETE', path])).status).toBe(404);
    }
    expect((await open(other!.link.token)).status).toBe(200);
  });

  it('is told nothing of why a token opens nothing', async () => {
    const { link, path } = await visited();
    const expired = await visited();
    await plane.call('PATCH', expired.path, {
      body: { expiresAt: new Date(Date.now() + 300).toISOString() },
    });
    await plane.call('DELETE', path);
    await new Promise((resolve) => setTimeout(resolve, 320));
    const [id, secret] = expired.link.token.split('.');
    const tokens = [
      link.token,
      expired.link.token,
      `${id}.${secret.replace(/.$/, secret.endsWith('A') ? 'B' : 'A')}`,
    ];
    const answers = await Promise.all([...tokens, 'x', `${id}.`].map((token) => begin(token)));
    const told = answers.map(({ status, body: { type, title, detail } }) => ({
      status,
      type,
      title,
      detail,
    }));
    expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(told[0]!.status).toBe(404);
  });
});

describe('the password of a link', () => {
  it('is asked for, and refused alike when it is wrong or missing', async () => {
    const { link, key, site } = await visited({ password: PASSWORD });
    expect((await open(link.token)).body.passwordRequired).toBe(true);
    const [missing, wrong] = [await begin(link.token), await begin(link.token, { password: 'no such' })];
    expect([missing.status, wrong.status]).toEqual([401, 401]);
    expect(missing.body.detail).toBe(wrong.body.detail);
    expect(await ask(site.id, key)).toBe(200);
  });

  it('can be guessed at a few times, at one link', async () => {
    const [{ link }, other] = [await visited({ password: PASSWORD }), await visited({ password: PASSWORD })];
    const statuses: number[] = [];
    for (let guess = 0; guess < GUESSES_MAX; guess++) {
      statuses.push((await begin(link.token, { password: `guess ${guess}` })).status);
    }
    const held = await begin(link.token, { password: PASSWORD });
    // The one that was right counted, too.
    expect(statuses).toEqual([...Array.from({ length: GUESSES_MAX - 1 }, () => 401), 429]);
    expect([held.status, Number(held.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await begin(other.link.token, { password: PASSWORD })).status).toBe(200);
  });
});

describe('a session', () => {
  const ends: readonly (readonly [string, (of: Awaited<ReturnType<typeof visited>>) => Promise<unknown>])[] =
    [
      ['the link is deleted', ({ path }) => plane.call('DELETE', path)],
      ['the site is deleted', ({ site }) => plane.call('DELETE', `/v1/sites/${site.id}`)],
      [
        'the password is changed',
        ({ path }) => plane.call('PATCH', path, { body: { password: `${PASSWORD}s` } }),
      ],
      ['the password is taken away', ({ path }) => plane.call('PATCH', path, { body: { password: null } })],
      [
        'the link expires',
        async ({ path }) => {
          const body = { expiresAt: new Date(Date.now() + 200).toISOString() };
          await plane.call('PATCH', path, { body });
          await new Promise((resolve) => setTimeout(resolve, 220));
        },
      ],
    ];
  it.each(ends)('ends, and with it what it watches, when %s', async (_, end) => {
    const of = await visited({ password: PASSWORD });
    const caller = callerOf(plane.app.get(SharedLinkDirectory).byId(of.link.id)!);
    const standing = plane.app.get(CallerStanding);
    expect([await ask(of.site.id, of.key), standing.holds(caller)]).toEqual([200, true]);
    await end(of);
    expect([await ask(of.site.id, of.key), standing.holds(caller)]).toEqual([401, false]);
  });

  it('goes on when something else is changed', async () => {
    const { site, key, path } = await visited({ password: PASSWORD });
    await plane.call('PATCH', path, { body: { name: 'renamed', embeddable: true } });
    expect(await ask(site.id, key)).toBe(200);
  });

  it('ends by itself after an hour', async () => {
    const { link, key } = await visited();
    const links = plane.app.get(SharedLinkDirectory);
    const atMs = (ms: number) =>
      new LinkSessions({
        ...{ keys: plane.app.get(SigningKeys), issuer: 'http://localhost:3000', links },
        nowMs: () => Date.now() + ms,
      }).find(key);
    expect(await atMs(3_500_000)).toMatchObject({ id: `link-${link.id}` });
    expect(await atMs(3_610_000)).toBeUndefined();
  });

  it("is none of a person's, nor is a person's one of a link", async () => {
    const { key } = await visited();
    const [, claims] = key.split('.');
    expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).not.toHaveProperty('merchant');
    expect((await plane.call('POST', '/v1/auth/logout', { key, body: {} })).status).toBe(403);
  });
});
