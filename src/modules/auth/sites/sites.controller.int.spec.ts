// Sites over HTTP, on a real PostgreSQL.
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';

let postgres: MigratedPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

let domains = 0;
const freshDomain = () => `site-${++domains}.example`;
const create = async (body: Record<string, unknown> = {}) =>
  (await plane.call('POST', '/v1/sites', { body: { domain: freshDomain(), ...body } })).body;
const issue = async (site: string, scopes: readonly string[]) =>
  (await plane.call('POST', `/v1/sites/${site}/keys`, { body: { name: 'k', scopes } })).body.key as string;
const issueForMerchant = async (scopes: readonly string[]) =>
  (await plane.call('POST', '/v1/keys', { body: { name: 'k', scopes } })).body.key as string;
const byText = (a: string, b: string) => (a < b ? -1 : 1);
const pathsOf = (body: { errors: { path: string }[] }) => body.errors.map(({ path }) => path);

describe('POST /v1/sites', () => {
  it('creates a site with defaults, in its normal spelling, ready to be read at once', async () => {
    const answer = await plane.call('POST', '/v1/sites', { body: { domain: 'https://WWW.Shop.Example/' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^s[1-9A-HJ-NP-Za-km-z]{11}$/),
      domain: 'shop.example',
      name: 'shop.example',
      timezone: 'UTC',
      currency: 'EUR',
      trackingIds: [],
      spread: 1,
      aliases: [],
      weekStart: 'monday',
      consentMode: 'cookieless',
      allowedOrigins: [],
      hostnames: [],
      queryParameters: [],
      exclusions: { countries: [], addresses: [], pages: [], hostnames: [] },
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(answer.headers).toMatchObject({ etag: '"0"', location: `/v1/sites/${answer.body.id}` });
    for (const name of [answer.body.id, 'shop.example', 'WWW.shop.EXAMPLE']) {
      const read = await plane.call('GET', `/v1/sites/${name}`);
      expect([read.status, read.body, read.headers.etag]).toEqual([200, answer.body, '"0"']);
    }
  });

  it('keeps every field that is given', async () => {
    const body = {
      domain: freshDomain(),
      name: 'Žluťoučký obchod',
      timezone: 'Asia/Kolkata',
      currency: 'usd',
      trackingIds: ['G-ABC123', '7'],
      spread: 8,
    };
    const answer = await plane.call('POST', '/v1/sites', { body });
    expect(answer.body).toMatchObject({ ...body, currency: 'USD' });
  });

  it('refuses a domain that another site has, however it is spelled', async () => {
    const { domain } = await create();
    for (const spelling of [domain, `www.${domain}`, domain.toUpperCase(), `http://${domain}`]) {
      const answer = await plane.call('POST', '/v1/sites', { body: { domain: spelling } });
      expect([answer.status, answer.body.type]).toEqual([409, '/problems/conflict']);
    }
  });

  it('refuses a tracking id that another site has', async () => {
    await create({ trackingIds: ['UA-1'] });
    const answer = await plane.call('POST', '/v1/sites', {
      body: { domain: freshDomain(), trackingIds: ['UA-1'] },
    });
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toContain('UA-1');
  });

  it('lets one of 100 parallel creations of one domain win, and tells the others 409', async () => {
    const domain = freshDomain();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => plane.call('POST', '/v1/sites', { body: { domain } })),
    );
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([201, ...Array.from({ length: 99 }, () => 409)]);
    const winner = answers.find(({ status }) => status === 201)!;
    expect((await plane.call('GET', `/v1/sites/${domain}`)).body).toEqual(winner.body);
  });

  it.each([
    [{}, ['domain']],
    [{ domain: 'not a domain' }, ['domain']],
    [{ domain: 'example.com/path' }, ['domain']],
    [{ domain: 5 }, ['domain']],
    [{ domain: null }, ['domain']],
    [{ domain: ['a.example'] }, ['domain']],
    [{ domain: 'ok.example', name: '' }, ['name']],
    [{ domain: 'ok.example', name: null }, ['name']],
    [{ domain: 'ok.example', name: 'a\u0000b' }, ['name']],
    [{ domain: 'ok.example', name: '\ud800' }, ['name']],
    [{ domain: 'ok.example', name: 'x'.repeat(121) }, ['name']],
    [{ domain: 'ok.example', timezone: 'Mars/Olympus' }, ['timezone']],
    [{ domain: 'ok.example', timezone: '+05:30' }, ['timezone']],
    [{ domain: 'ok.example', timezone: 5 }, ['timezone']],
    [{ domain: 'ok.example', currency: 'XXZ' }, ['currency']],
    [{ domain: 'ok.example', currency: {} }, ['currency']],
    [{ domain: 'ok.example', trackingIds: 'G-1' }, ['trackingIds']],
    [{ domain: 'ok.example', trackingIds: [1] }, ['trackingIds']],
    [{ domain: 'ok.example', trackingIds: ['a', 'a'] }, ['trackingIds']],
    [{ domain: 'ok.example', surprise: 1 }, ['surprise']],
    [{ domain: 'bad domain', timezone: 'bad', currency: 'bad' }, ['timezone', 'currency', 'domain']],
  ])('refuses %j, naming what is wrong', async (body, paths) => {
    const answer = await plane.call('POST', '/v1/sites', { body });
    expect([answer.status, answer.body.type]).toEqual([400, '/problems/invalid-request']);
    expect(pathsOf(answer.body).sort(byText)).toEqual([...paths].sort(byText));
    expect(answer.headers['content-type']).toMatch('application/problem+json');
  });

  it.each([[[]], [[{ domain: 'list.example' }]], ['text'], [5], [null], [true]])(
    'refuses %j, which is no object',
    async (body) => {
      const answer = await plane.call('POST', '/v1/sites', { body });
      expect([answer.status, answer.body.type]).toEqual([400, '/problems/invalid-request']);
    },
  );

  it('refuses to be without a body', async () => {
    expect((await plane.call('POST', '/v1/sites')).status).toBe(400);
  });
});

describe('GET /v1/sites', () => {
  it('gives every site once, ordered by domain, page by page', async () => {
    for (let n = 0; n < 7; n++) await create();
    const all = (await plane.call('GET', '/v1/sites?limit=1000')).body;
    expect(all.next_cursor).toBeNull();
    const names = all.sites.map(({ domain }: { domain: string }) => domain);
    expect(names).toEqual([...names].sort(byText));
    expect(names.length).toBeGreaterThan(7);

    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page = (await plane.call('GET', `/v1/sites?limit=3${query}`)).body;
      expect(page.sites.length).toBeLessThanOrEqual(3);
      paged.push(...page.sites.map(({ domain }: { domain: string }) => domain));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(paged).toEqual(names);
  });

  it.each([
    'limit=0',
    'limit=1001',
    'limit=abc',
    'limit=1.5',
    'limit=1&limit=2',
    'cursor=!!',
    'cursor=',
    'x=1',
  ])('refuses %s', async (query) => {
    const answer = await plane.call('GET', `/v1/sites?${query}`);
    expect(answer.status).toBe(400);
    expect(pathsOf(answer.body)).toEqual([query.split('=')[0]]);
  });

  it('shows a key of one site that site only', async () => {
    const { id } = await create();
    const key = await issue(id, ['stats:read']);
    const { body } = await plane.call('GET', '/v1/sites', { key });
    expect(body.sites.map((site: { id: string }) => site.id)).toEqual([id]);
  });
});

describe('PATCH /v1/sites/{site}', () => {
  it('changes what is given and nothing else', async () => {
    const site = await create({ trackingIds: ['patch-1'] });
    const body = { name: 'New', timezone: 'America/New_York', trackingIds: ['patch-2'] };
    const changed = await plane.call('PATCH', `/v1/sites/${site.domain}`, { body });
    expect(changed).toMatchObject({ status: 200, body: { ...site, ...body }, headers: { etag: '"1"' } });
    const read = await plane.call('GET', `/v1/sites/${site.id}`);
    expect([read.body, read.headers.etag]).toEqual([changed.body, '"1"']);
  });

  it('stores nothing when nothing differs', async () => {
    const site = await create({ name: 'Same' });
    const changed = await plane.call('PATCH', `/v1/sites/${site.id}`, { body: { name: 'Same' } });
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"0"' }, body: site });
  });

  it('frees a tracking id for others when a site gives it up', async () => {
    const site = await create({ trackingIds: ['free-1'] });
    await plane.call('PATCH', `/v1/sites/${site.id}`, { body: { trackingIds: [] } });
    expect(await create({ trackingIds: ['free-1'] })).toMatchObject({ trackingIds: ['free-1'] });
    const back = await plane.call('PATCH', `/v1/sites/${site.id}`, { body: { trackingIds: ['free-1'] } });
    expect(back.status).toBe(409);
  });

  it('refuses with 409 who has seen an older site, and takes who has seen the present one', async () => {
    const { id } = await create();
    const patch = (name: string, tag: string) =>
      plane.call('PATCH', `/v1/sites/${id}`, { body: { name }, headers: { 'if-match': tag } });
    expect((await patch('A', '"0"')).status).toBe(200);
    expect(await patch('B', '"0"')).toMatchObject({ status: 409, headers: { etag: '"1"' } });
    expect((await patch('C', '"1"')).status).toBe(200);
    expect((await patch('D', '*')).status).toBe(200);
    expect((await patch('E', 'nonsense')).status).toBe(400);
    expect((await plane.call('GET', `/v1/sites/${id}`)).body.name).toBe('D');
  });

  it('lets one of many edits of the same revision win', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        plane.call('PATCH', `/v1/sites/${id}`, { body: { name: `N${n}` }, headers: { 'if-match': '"0"' } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
  });
});

describe('DELETE /v1/sites/{site}', () => {
  it('deletes the site and frees its domain', async () => {
    const site = await create();
    expect((await plane.call('DELETE', `/v1/sites/${site.id}`)).status).toBe(204);
    for (const name of [site.id, site.domain]) {
      expect((await plane.call('GET', `/v1/sites/${name}`)).status).toBe(404);
    }
    expect((await plane.call('DELETE', `/v1/sites/${site.id}`)).status).toBe(404);
    const again = await create({ domain: site.domain });
    expect(again.domain).toBe(site.domain);
    expect(again.id).not.toBe(site.id);
  });

  it('refuses with 409 who has seen an older site', async () => {
    const { id } = await create();
    await plane.call('PATCH', `/v1/sites/${id}`, { body: { name: 'New' } });
    const remove = (tag: string) => plane.call('DELETE', `/v1/sites/${id}`, { headers: { 'if-match': tag } });
    expect((await remove('"0"')).status).toBe(409);
    expect((await remove('"1"')).status).toBe(204);
  });
});

describe('who may', () => {
  it('is nobody without a valid key', async () => {
    for (const key of [null, 'tm_unknown', 'x'.repeat(5_000)]) {
      for (const [method, path] of [
        ['GET', '/v1/sites'],
        ['POST', '/v1/sites'],
        ['GET', '/v1/sites/anything'],
        ['GET', '/v1/keys'],
      ] as const) {
        const answer = await plane.call(method, path, { key, ...(method === 'POST' && { body: {} }) });
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      }
    }
  });

  it('is not a key without the scope, whether the site exists or not', async () => {
    const { id } = await create();
    const key = await issue(id, ['ingest']);
    for (const name of [id, 'nowhere.example']) {
      expect((await plane.call('GET', `/v1/sites/${name}`, { key })).status).toBe(403);
      expect((await plane.call('DELETE', `/v1/sites/${name}`, { key })).status).toBe(403);
    }
    const reader = await issue(id, ['stats:read']);
    expect((await plane.call('GET', `/v1/sites/${id}`, { key: reader })).status).toBe(200);
    expect((await plane.call('PATCH', `/v1/sites/${id}`, { key: reader, body: {} })).status).toBe(403);
  });

  it("sees no difference between a site out of the key's reach and none at all", async () => {
    const own = await create();
    const other = await create();
    const key = await issue(own.id, ['sites:admin']);
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { name: 'Mine' }],
      ['DELETE', undefined],
    ] as const) {
      const foreign = await plane.call(method, `/v1/sites/${other.domain}`, { key, body });
      const absent = await plane.call(method, '/v1/sites/absent.example', { key, body });
      expect(foreign.status).toBe(404);
      expect(foreign.body).toEqual(absent.body);
    }
    expect((await plane.call('GET', `/v1/sites/${other.id}`)).body.name).toBe(other.name);
  });

  it('administers its own site with a key of that site, but creates no other', async () => {
    const { id } = await create();
    const key = await issue(id, ['sites:admin']);
    expect((await plane.call('PATCH', `/v1/sites/${id}`, { key, body: { name: 'Own' } })).status).toBe(200);
    const answer = await plane.call('POST', '/v1/sites', { key, body: { domain: freshDomain() } });
    expect(answer.status).toBe(403);
  });

  it('is the operator alone where a site is spread over partitions', async () => {
    const site = await create();
    const key = await issue(site.id, ['sites:admin']);
    const body = { spread: 4 };
    expect((await plane.call('PATCH', `/v1/sites/${site.id}`, { key, body })).status).toBe(403);
    expect((await plane.call('PATCH', `/v1/sites/${site.id}`, { body: { spread: 0 } })).status).toBe(400);
    const changed = await plane.call('PATCH', `/v1/sites/${site.id}`, { body });
    expect(changed).toMatchObject({ status: 200, body: { ...site, spread: 4 } });
    const merchants = await issueForMerchant(['sites:admin']);
    const created = { domain: freshDomain(), spread: 2 };
    expect((await plane.call('POST', '/v1/sites', { key: merchants, body: created })).status).toBe(403);
  });

  it("creates sites with a merchant's key, and reaches them with it", async () => {
    const key = await issueForMerchant(['sites:admin']);
    const created = await plane.call('POST', '/v1/sites', { key, body: { domain: freshDomain() } });
    expect(created.status).toBe(201);
    expect((await plane.call('GET', `/v1/sites/${created.body.id}`, { key })).status).toBe(200);
  });

  it('is written down with every change', async () => {
    const key = await issueForMerchant(['sites:admin']);
    const { body } = await plane.call('POST', '/v1/sites', { key, body: { domain: freshDomain() } });
    const issued = (await plane.call('GET', '/v1/keys?limit=1000')).body.keys.find(
      (one: { prefix: string }) => key.startsWith(one.prefix),
    );
    const { rows } = await postgres.pool.query(
      'SELECT type, metadata FROM event_store.events WHERE stream IN ($1, $2) ORDER BY events.position',
      [`domain-${body.domain}`, `site-${body.id}`],
    );
    const metadata = expect.objectContaining({ by: issued.id, kind: 'key', request: expect.any(String) });
    expect(rows).toEqual([
      { type: 'DomainClaimed', metadata },
      { type: 'SiteCreated', metadata },
    ]);
  });
});

describe('without the event store', () => {
  it('refuses changes with 503 and Retry-After, and goes on answering reads', async () => {
    const { id } = await create();
    const caller = await postgres.pool.connect();
    await caller.query('BEGIN; SELECT pg_advisory_xact_lock(7236021544198)');
    const answer = await plane.call('PATCH', `/v1/sites/${id}`, { body: { name: 'Late' } });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
    expect((await plane.call('GET', `/v1/sites/${id}`)).status).toBe(200);
    await caller.query('ROLLBACK');
    caller.release();
    expect((await plane.call('PATCH', `/v1/sites/${id}`, { body: { name: 'Late' } })).status).toBe(200);
  });
});
