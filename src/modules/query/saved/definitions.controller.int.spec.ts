// What a site's people define, over HTTP, on a real PostgreSQL and on two nodes.
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Answer,
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import {
  type MigratedPostgres,
  openTestPool,
  startMigratedPostgres,
} from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { DirectoryFollower } from '../../auth/directories/directory-follower.js';
import { createSite, siteStream } from '../../auth/sites/site.aggregate.js';
import { SiteDefinitions } from '../vocabulary/site-definitions.js';
import { SavedModule } from './saved.module.js';

/** What each kind is called, a body of it, what a change makes of it, and a body that collides with it. */
const KINDS = [
  {
    plural: 'goals',
    body: { eventName: 'Signup', props: { plan: 'pro' }, currency: 'EUR', name: 'Pro signup' },
    change: { name: 'Pro' },
    another: (n: number) => ({ eventName: `E${n}` }),
  },
  {
    plural: 'segments',
    body: { name: 'DACH', filters: [['is', 'visit:country', ['DE', 'AT', 'CH']]] },
    change: { filters: [['is', 'visit:country', ['DE']]] },
    another: (n: number) => ({ name: `S${n}`, filters: [['is', 'visit:country', ['DE']]] }),
  },
  {
    plural: 'funnels',
    body: { name: 'Buying', steps: [{ pagePath: '/' }, { eventName: 'Buy' }], windowSeconds: 3_600 },
    change: { windowSeconds: 60 },
    another: (n: number) => ({ name: `F${n}`, steps: [{ pagePath: '/' }, { eventName: 'Buy' }] }),
  },
  {
    plural: 'annotations',
    body: { from: '2026-11-20', to: '2026-11-21', text: 'Sale' },
    change: { text: 'Sale, with\nlines' },
    another: (n: number) => ({ date: `2026-10-${String(n).padStart(2, '0')}`, text: 'n' }),
  },
] as const;

/** On a busy machine; how soon a store tells its subscribers, its contract measures. */
const PROMPT_MS = 10_000;
const KEY_PEPPER = 'a pepper that both of the nodes are given';
const NODE = { environment: { OPERATOR_KEY, KEY_PEPPER }, modules: [SavedModule] };

let postgres: MigratedPostgres;
let plane: ControlPlane;
let other: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, NODE);
  other = await startControlPlane(postgres.pool, NODE);
});
afterAll(async () => {
  await plane.close();
  await other.close();
  await postgres.stop();
});

let domains = 0;
/** Known to both nodes. */
const newSite = async (): Promise<string> => {
  const { body } = await plane.call('POST', '/v1/sites', {
    body: { domain: `defined-${++domains}.example` },
  });
  await other.app.get(DirectoryFollower).settle();
  return body.id;
};
const keyOf = async (site: string, scopes: readonly string[]) =>
  (await plane.call('POST', `/v1/sites/${site}/keys`, { body: { name: 'k', scopes } })).body.key as string;
const post = (path: string, body: unknown, key?: string) =>
  plane.call('POST', path, { body, ...(key !== undefined && { key }) });
const pathsOf = ({ body }: Answer) => (body.errors as { path: string }[]).map(({ path }) => path);
const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status).sort((a, b) => a - b);

describe.each(KINDS)('$plural', ({ plural, body, change, another }) => {
  const singular = plural.slice(0, -1);

  it('are created, read, listed, changed and deleted', async () => {
    const site = await newSite();
    const path = `/v1/sites/${site}/${plural}`;
    const created = await post(path, body);
    const { id } = created.body;
    expect(created).toMatchObject({
      status: 201,
      headers: { etag: '"0"', location: `${path}/${id}` },
      body: { id: expect.any(String), ...body, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    const read = await plane.call('GET', `${path}/${id}`);
    expect([read.status, read.headers.etag, read.body]).toEqual([200, '"0"', created.body]);

    const changed = await plane.call('PATCH', `${path}/${id}`, { body: change });
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"1"' } });
    expect(changed.body).toEqual({ ...created.body, ...change });
    const again = await plane.call('PATCH', `${path}/${id}`, { body: change });
    expect([again.status, again.headers.etag]).toEqual([200, '"1"']);
    expect((await plane.call('GET', path)).body).toEqual({ [plural]: [changed.body], next_cursor: null });

    expect((await plane.call('DELETE', `${path}/${id}`)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const gone = await plane.call(method, `${path}/${id}`, method === 'PATCH' ? { body: change } : {});
      expect([gone.status, gone.body.detail]).toEqual([404, `There is no such ${singular}.`]);
    }
  });

  it('are listed once each, page by page', async () => {
    const path = `/v1/sites/${await newSite()}/${plural}`;
    for (let n = 1; n <= 7; n++) await post(path, another(n));
    const all = (await plane.call('GET', path)).body[plural];
    expect(all).toHaveLength(7);
    const paged: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: Answer = await plane.call('GET', `${path}?limit=3${query}`);
      paged.push(...page.body[plural]);
      cursor = page.body.next_cursor;
    }
    expect(paged).toEqual(all);
  });

  it.each(['limit=0', 'limit=1001', 'limit=a', 'limit=1&limit=2', 'cursor=!!', 'cursor=a&cursor=b', 'x=1'])(
    'are not listed by %s',
    async (query) => {
      const answer = await plane.call('GET', `/v1/sites/${await newSite()}/${plural}?${query}`);
      expect([answer.status, pathsOf(answer)]).toEqual([400, [query.split('=')[0]]]);
    },
  );

  it('are read with stats:read, changed with sites:admin, and otherwise not', async () => {
    const site = await newSite();
    const path = `/v1/sites/${site}/${plural}`;
    const { id } = (await post(path, body, await keyOf(site, ['sites:admin']))).body;
    const statuses = async (key: string | null) => {
      const answers = [
        await plane.call('GET', path, { key }),
        await plane.call('GET', `${path}/${id}`, { key }),
        await plane.call('POST', path, { key, body: another(1) }),
        await plane.call('PATCH', `${path}/${id}`, { key, body: change }),
        await plane.call('DELETE', `${path}/${id}`, { key, headers: { 'if-match': '"99"' } }),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await statuses(await keyOf(site, ['stats:read']))).toEqual([200, 200, 403, 403, 403]);
    expect(await statuses(await keyOf(site, ['ingest']))).toEqual([403, 403, 403, 403, 403]);
    expect(await statuses(null)).toEqual([401, 401, 401, 401, 401]);
    expect(await statuses(await keyOf(site, ['sites:admin']))).toEqual([200, 200, 201, 200, 409]);
  });

  it("of another's site answer as those of a site that does not exist", async () => {
    await plane.app.get(EventStore).append(
      siteStream(`sForeign${plural}`),
      [
        createSite(`sForeign${plural}`, {
          ...{ merchant: 'somebody', domain: `${plural}.foreign.example`, name: 'n' },
          ...{ timezone: 'UTC', currency: 'EUR', trackingIds: [] },
        }),
      ],
      'none',
    );
    await plane.app.get(DirectoryFollower).settle();
    const { id } = (await post(`/v1/sites/sForeign${plural}/${plural}`, body)).body;
    const merchants = (await post('/v1/keys', { name: 'k', scopes: ['sites:admin'] })).body.key;
    const own = await newSite();
    for (const key of [merchants, await keyOf(own, ['sites:admin'])]) {
      for (const [method, rest, sent] of [
        ['GET', '', undefined],
        ['GET', `/${id}`, undefined],
        ['POST', '', body],
        ['PATCH', `/${id}`, change],
        ['DELETE', `/${id}`, undefined],
      ] as const) {
        const call = (site: string) =>
          plane.call(method, `/v1/sites/${site}/${plural}${rest}`, { key, body: sent });
        const foreign = await call(`${plural}.foreign.example`);
        expect(foreign.status).toBe(404);
        expect(foreign.body).toEqual((await call('absent.example')).body);
      }
    }
    // Nor are they found by their id under another site.
    expect((await plane.call('GET', `/v1/sites/${own}/${plural}/${id}`)).status).toBe(404);
    expect((await plane.call('DELETE', `/v1/sites/${own}/${plural}/${id}`)).status).toBe(404);
    const kept = await plane.call('GET', `/v1/sites/sForeign${plural}/${plural}/${id}`);
    expect(kept.body).toMatchObject(body);
  });

  it('are changed by one of many who have seen the same', async () => {
    const path = `/v1/sites/${await newSite()}/${plural}`;
    const { id } = (await post(path, body)).body;
    const bodies = Array.from({ length: 10 }, (_, n) =>
      plural === 'annotations' ? { text: `T${n}` } : { name: `N${n}` },
    );
    const answers = await Promise.all(
      bodies.map((changed, n) =>
        [plane, other][n % 2]!.call('PATCH', `${path}/${id}`, {
          body: changed,
          headers: { 'if-match': '"0"' },
        }),
      ),
    );
    expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    const remove = (tag: string) => plane.call('DELETE', `${path}/${id}`, { headers: { 'if-match': tag } });
    expect((await remove('"0"')).status).toBe(409);
    expect((await remove('nonsense')).status).toBe(400);
    expect((await remove('"1"')).status).toBe(204);
  });

  it('are all created, however many at once on however many nodes', async () => {
    const path = `/v1/sites/${await newSite()}/${plural}`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        [plane, other][n % 2]!.call('POST', path, { body: another(n + 1) }),
      ),
    );
    expect(statusesOf(answers)).toEqual(Array.from({ length: 20 }, () => 201));
    await plane.app.get(DirectoryFollower).settle();
    expect((await plane.call('GET', path)).body[plural]).toHaveLength(20);
  });

  const eachFieldBeing = (value: unknown) => Object.fromEntries(Object.keys(body).map((key) => [key, value]));
  it.each([
    ['a list', []],
    ['text', 'text'],
    ['a number', 5],
    ['null', null],
    ['an unknown field', { ...body, surprise: 1 }],
    ['an id', { ...body, id: 'mine' }],
    ['a time of creation', { ...body, createdAt: '2026-11-21T10:00:00Z' }],
    ['numbers', eachFieldBeing(5)],
    ['nested lists', eachFieldBeing([[[{}]]])],
    ['objects', eachFieldBeing({ a: null })],
    ['what PostgreSQL cannot hold', eachFieldBeing('a\0\ud800')],
    ['long text', eachFieldBeing('a'.repeat(100_000))],
  ])('are not made of %s', async (_, wrong) => {
    const path = `/v1/sites/${await newSite()}/${plural}`;
    const { id } = (await post(path, body)).body;
    const answers = [await post(path, wrong), await plane.call('PATCH', `${path}/${id}`, { body: wrong })];
    for (const { status, body } of answers) {
      expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
    }
    expect((await plane.call('GET', path)).body[plural]).toHaveLength(1);
  });

  it('need more than nothing, and are changed by nothing', async () => {
    const path = `/v1/sites/${await newSite()}/${plural}`;
    const { id } = (await post(path, body)).body;
    expect((await post(path, {})).status).toBe(400);
    expect((await plane.call('POST', path)).status).toBe(400);
    const unchanged = await plane.call('PATCH', `${path}/${id}`, { body: {} });
    expect([unchanged.status, unchanged.headers.etag]).toEqual([200, '"0"']);
  });

  it('are not named by text that is none of their ids', async () => {
    const path = `/v1/sites/${await newSite()}/${plural}`;
    for (const id of ['constructor', '__proto__', '%00', '%ED%A0%80', 'x'.repeat(200), '..%2f']) {
      const { status } = await plane.call('GET', `${path}/${id}`);
      expect([400, 404]).toContain(status);
    }
  });

  it('go with their site', async () => {
    const site = await newSite();
    const path = `/v1/sites/${site}/${plural}`;
    const { id } = (await post(path, body)).body;
    await plane.call('DELETE', `/v1/sites/${site}`);
    const answers = [await plane.call('GET', path), await post(path, another(1))];
    expect(statusesOf(answers)).toEqual([404, 404]);
    const definitions = plane.app.get(SiteDefinitions);
    expect(definitions.goalsOf(site)).toEqual([]);
    expect([definitions.segmentOf(site, id), definitions.funnelOf(site, id)]).toEqual([undefined, undefined]);
  });

  it('are written down, readable, with who did it', async () => {
    const site = await newSite();
    const key = await keyOf(site, ['sites:admin']);
    const path = `/v1/sites/${site}/${plural}`;
    const { id } = (await post(path, body, key)).body;
    await plane.call('PATCH', `${path}/${id}`, { body: change, key });
    await plane.call('DELETE', `${path}/${id}`, { key });
    const { entries } = (await plane.call('GET', `/admin/v1/audit?stream=definitions-${site}`)).body;
    const kind = `${singular[0]!.toUpperCase()}${singular.slice(1)}`;
    expect(entries).toMatchObject([
      { type: `${kind}Created`, data: { site, id, ...body }, by: expect.stringMatching(/^k/) },
      { type: `${kind}Changed`, data: { site, id, ...body, ...change } },
      { type: `${kind}Deleted`, data: { site, id } },
    ]);
  });
});

describe.each(KINDS.filter(({ plural }) => plural !== 'annotations'))(
  'names of $plural',
  ({ plural, body, another }) => {
    it('are given to one of many who want the same', async () => {
      const path = `/v1/sites/${await newSite()}/${plural}`;
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => [plane, other][n % 2]!.call('POST', path, { body })),
      );
      expect(statusesOf(answers)).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
      const { id } = (await post(path, another(1))).body;
      const taken = await plane.call('PATCH', `${path}/${id}`, {
        body: { name: (body as { name?: string }).name },
      });
      expect([taken.status, taken.body.type]).toEqual([409, '/problems/conflict']);
      expect(await post(`/v1/sites/${await newSite()}/${plural}`, body)).toMatchObject({ status: 201 });
    });
  },
);

describe('a funnel of a goal', () => {
  it('shows the name that the goal has, and holds it', async () => {
    const site = await newSite();
    const { id } = (await post(`/v1/sites/${site}/goals`, { eventName: 'Signup' })).body;
    const steps = [{ pagePath: '/' }, { goal: 'Signup' }];
    const funnel = (await post(`/v1/sites/${site}/funnels`, { name: 'F', steps })).body;
    await plane.call('PATCH', `/v1/sites/${site}/goals/${id}`, { body: { name: 'Registered' } });
    const read = await plane.call('GET', `/v1/sites/${site}/funnels/${funnel.id}`);
    expect(read.body.steps).toEqual([{ pagePath: '/' }, { goal: 'Registered' }]);
    expect(plane.app.get(SiteDefinitions).funnelOf(site, funnel.id)?.steps).toMatchObject([
      { name: 'Visit /' },
      { name: 'Registered', match: { kind: 'event', name: 'Signup' } },
    ]);
    expect((await plane.call('DELETE', `/v1/sites/${site}/goals/${id}`)).status).toBe(409);
  });
});

describe('annotations of some days', () => {
  it('are those that touch them', async () => {
    const path = `/v1/sites/${await newSite()}/annotations`;
    await post(path, { date: '2026-11-01', text: 'first' });
    await post(path, { from: '2026-11-05', to: '2026-11-20', text: 'long' });
    await post(path, { date: '2026-11-10', text: 'tenth' });
    const texts = async (query: string) =>
      (await plane.call('GET', `${path}?${query}`)).body.annotations.map(
        ({ text }: { text: string }) => text,
      );
    expect(await texts('')).toEqual(['first', 'long', 'tenth']);
    expect(await texts('from=2026-11-10')).toEqual(['long', 'tenth']);
    expect(await texts('to=2026-11-04')).toEqual(['first']);
    expect(await texts('from=2026-11-11&to=2026-11-11')).toEqual(['long']);
    expect(await texts('from=2026-11-05&limit=1')).toEqual(['long']);
    const wrong = await plane.call('GET', `${path}?from=yesterday`);
    expect([wrong.status, pathsOf(wrong)]).toEqual([400, ['from']]);
  });
});

describe('what is defined', () => {
  it('is known to queries at once where it was defined, and promptly on other nodes', async () => {
    const site = await newSite();
    const goalsOn = (node: ControlPlane) => node.app.get(SiteDefinitions).goalsOf(site);
    const { id } = (await post(`/v1/sites/${site}/goals`, { pagePath: '/done' })).body;
    const goal = {
      id,
      name: 'Visit /done',
      match: { kind: 'page', page: '/done', props: {} },
      currency: null,
    };
    expect(goalsOn(plane)).toEqual([goal]);
    const deadline = Date.now() + PROMPT_MS;
    while (goalsOn(other).length === 0 && Date.now() < deadline) await delay(2);
    expect(goalsOn(other)).toEqual([goal]);
    expect(goalsOn(other)).toBe(goalsOn(other));
  });

  it('can be changed on a node that has not heard of it yet', async () => {
    const site = await newSite();
    for (let n = 0; n < 10; n++) {
      const { id } = (await post(`/v1/sites/${site}/goals`, { eventName: `E${n}` })).body;
      const changed = await other.call('PATCH', `/v1/sites/${site}/goals/${id}`, { body: { name: `N${n}` } });
      expect(changed.status).toBe(200);
    }
  });

  it('survives a restart', async () => {
    const site = await newSite();
    for (const { plural, body } of KINDS) await post(`/v1/sites/${site}/${plural}`, body);
    const pool = openTestPool(postgres.url);
    const late = await startControlPlane(pool, NODE);
    for (const { plural } of KINDS) {
      const { body } = await late.call('GET', `/v1/sites/${site}/${plural}`);
      expect(body[plural]).toHaveLength(1);
      expect(body).toEqual((await plane.call('GET', `/v1/sites/${site}/${plural}`)).body);
    }
    await late.close();
    await pool.end();
  });

  it('is not changed without the event store, and can be read all the same', async () => {
    const path = `/v1/sites/${await newSite()}/goals`;
    const { id } = (await post(path, { eventName: 'A' })).body;
    const caller = await postgres.pool.connect();
    await caller.query('BEGIN; SELECT pg_advisory_xact_lock(7236021544198)');
    const refused = await post(path, { eventName: 'B' });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '2']);
    expect((await plane.call('GET', `${path}/${id}`)).status).toBe(200);
    await caller.query('ROLLBACK');
    caller.release();
    expect((await post(path, { eventName: 'B' })).status).toBe(201);
  });
});
