// What happens to a key after it was issued, on two nodes that share a real PostgreSQL.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { KeyUsage } from './key-usage.js';

const environment = { OPERATOR_KEY, KEY_PEPPER: 'a pepper that both of the nodes are given' };
const DAY_MS = 86_400_000;

let postgres: MigratedPostgres;
let node: ControlPlane;
let other: ControlPlane;
let site: string;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  node = await startControlPlane(postgres.pool, { environment });
  other = await startControlPlane(postgres.pool, { environment });
  site = (await node.call('POST', '/v1/sites', { body: { domain: 'life.example' } })).body.id;
});
afterAll(async () => {
  await node.close();
  await other.close();
  await postgres.stop();
});

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const keysPath = () => `/v1/sites/${site}/keys`;
async function issue(about: object = {}, { key, path = keysPath() }: { key?: string; path?: string } = {}) {
  const body = { name: 'k', scopes: ['stats:read'], ...about };
  return node.call('POST', path, { body, ...(key !== undefined && { key }) });
}
const issued = async (about?: object) => (await issue(about)).body as { id: string; key: string };
/** Status for whoever shows it. */
const shown = async (key: string, plane = node) =>
  (await plane.call('GET', `/v1/sites/${site}`, { key })).status;
const settle = () => other.app.get(DirectoryFollower).settle();

describe('a key that expires', () => {
  it('is refused from that moment on, by every node, even one that has just let it pass', async () => {
    const { id, key } = await issued({ expiresAt: inMs(1_500) });
    await settle();
    const caller = other.app.get(KeyDirectory).find(key)!;
    expect([await shown(key), await shown(key, other)]).toEqual([200, 200]);
    expect(other.app.get(KeyDirectory).holds(caller)).toBe(true);
    await sleep(1_600);
    expect([await shown(key), await shown(key, other)]).toEqual([401, 401]);
    expect(other.app.get(KeyDirectory).holds(caller)).toBe(false);

    const { status, body } = await node.call('PATCH', `${keysPath()}/${id}`, { body: { expiresAt: null } });
    expect([status, body.detail]).toEqual([409, expect.stringMatching(/expired/)]);
    expect((await node.call('POST', `${keysPath()}/${id}/rotate`, { body: {} })).status).toBe(409);
    expect((await node.call('GET', `${keysPath()}/${id}`)).body).toMatchObject({ id });
    expect((await node.call('DELETE', `${keysPath()}/${id}`)).status).toBe(204);
  });

  it('cannot give another one more time than it has, nor itself', async () => {
    const expiresAt = inMs(DAY_MS);
    const scopes = ['sites:admin', 'stats:read'];
    const { id, key } = await issued({ scopes, expiresAt });
    expect((await issue({}, { key })).body).toMatchObject({ expiresAt });
    expect((await issue({ expiresAt: inMs(DAY_MS / 2) }, { key })).status).toBe(201);
    expect((await issue({ expiresAt: inMs(2 * DAY_MS) }, { key })).status).toBe(403);
    for (const later of [null, inMs(2 * DAY_MS)]) {
      const body = { expiresAt: later };
      expect((await node.call('PATCH', `${keysPath()}/${id}`, { key, body })).status).toBe(403);
    }
    const endless = await issued();
    const rotate = (body: object) => node.call('POST', `${keysPath()}/${endless.id}/rotate`, { key, body });
    expect((await rotate({ expiresAt: inMs(2 * DAY_MS) })).status).toBe(403);
    expect((await rotate({})).body).toMatchObject({ expiresAt });
  });
});

describe('a key', () => {
  it('is renamed and given an end by whoever has seen it as it is', async () => {
    const { id, key } = await issued();
    const path = `${keysPath()}/${id}`;
    const seen = await node.call('GET', path);
    expect([seen.status, seen.headers['etag'], seen.body.key]).toEqual([200, '"0"', undefined]);
    const expiresAt = inMs(DAY_MS);
    const change = (body: object, etag: string) =>
      node.call('PATCH', path, { body, headers: { 'if-match': etag } });
    const changed = await change({ name: 'Renamed', expiresAt }, '"0"');
    expect(changed).toMatchObject({ status: 200, body: { id, name: 'Renamed', expiresAt } });
    expect(changed.headers['etag']).toBe('"1"');
    expect((await change({ name: 'Late' }, '"0"')).status).toBe(409);
    expect((await change({ expiresAt: null }, '"1"')).body).toMatchObject({
      name: 'Renamed',
      expiresAt: null,
    });
    expect(await shown(key)).toBe(200);
    for (const [body, at] of [
      [{ name: '' }, 'name'],
      [{ name: null }, 'name'],
      [{ scopes: ['ingest'] }, 'scopes'],
      [{ expiresAt: 'soon' }, 'expiresAt'],
    ] as const) {
      const { status, body: problem } = await change(body, '*');
      expect([status, problem.errors[0].path]).toEqual([400, at]);
    }
  });

  it('is read and changed where it belongs, and nowhere else', async () => {
    const ofSite = await issued();
    const ofMerchant = (await issue({}, { path: '/v1/keys' })).body;
    for (const path of [`/v1/keys/${ofSite.id}`, `${keysPath()}/${ofMerchant.id}`, '/v1/keys/absent']) {
      expect((await node.call('GET', path)).status).toBe(404);
      expect((await node.call('PATCH', path, { body: { name: 'x' } })).status).toBe(404);
      expect((await node.call('POST', `${path}/rotate`, { body: {} })).status).toBe(404);
    }
    expect((await node.call('GET', `/v1/keys/${ofMerchant.id}`)).status).toBe(200);
  });

  it('gives every scope but the operator’s, and to its own site only', async () => {
    const { key } = await issued({ scopes: ['sites:admin'] });
    const sender = await issue({ scopes: ['ingest', 'ingest:server', 'stats:read'] }, { key });
    expect(sender.status).toBe(201);
    expect((await issue({ scopes: ['operator'] }, { key })).status).toBe(400);
    expect((await issue({ scopes: ['stats:read'] }, { key, path: '/v1/keys' })).status).toBe(403);
  });
});

describe('rotation', () => {
  const rotate = (id: string, body: object = {}) => node.call('POST', `${keysPath()}/${id}/rotate`, { body });

  it('gives another key for the same, beside the old one until the overlap is over', async () => {
    const old = await issued({ name: 'Server', scopes: ['stats:read', 'ingest'] });
    const rotated = await rotate(old.id, { overlapSeconds: 1 });
    expect(rotated.status).toBe(201);
    const { id, key } = rotated.body;
    expect(rotated.headers['location']).toBe(`${keysPath()}/${id}`);
    expect(rotated.body).toMatchObject({
      name: 'Server',
      scopes: ['stats:read', 'ingest'],
      site,
      expiresAt: null,
    });
    expect(id).not.toBe(old.id);
    expect([await shown(old.key), await shown(key)]).toEqual([200, 200]);
    expect((await node.call('GET', `${keysPath()}/${old.id}`)).body).toMatchObject({ successor: id });
    await settle();
    await sleep(1_100);
    expect([await shown(old.key), await shown(old.key, other)]).toEqual([401, 401]);
    expect([await shown(key), await shown(key, other)]).toEqual([200, 200]);
  });

  it('without an overlap ends the old key at once', async () => {
    const old = await issued();
    const { key } = (await rotate(old.id, { overlapSeconds: 0 })).body;
    expect([await shown(old.key), await shown(key)]).toEqual([401, 200]);
  });

  it('is done once, of any number at once, and leaves no key that nobody was shown', async () => {
    const old = await issued({ name: 'rotated at once' });
    const answers = await Promise.all([1, 2, 3, 4].map(() => rotate(old.id)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    const { body } = await node.call('GET', `${keysPath()}?limit=1000`);
    const named = body.keys.filter(({ name }: { name: string }) => name === 'rotated at once');
    expect(named).toHaveLength(2);
  });

  it.each([
    { overlapSeconds: -1 },
    { overlapSeconds: 1.5 },
    { overlapSeconds: 1e9 },
    { overlapSeconds: '1' },
  ])('refuses %j', async (body) => {
    const { id } = await issued();
    const { status, body: problem } = await rotate(id, body);
    expect([status, problem.errors[0].path]).toEqual([400, 'overlapSeconds']);
  });
});

describe('when a key was last used', () => {
  const lastUsed = async (id: string, plane = node) =>
    (await plane.call('GET', `${keysPath()}/${id}`)).body.lastUsedAt;
  const flush = (plane: ControlPlane) => plane.app.get(KeyUsage).flush();

  it('is shown by every node once it was written, and is the latest use of any', async () => {
    const { id, key } = await issued();
    await settle();
    expect(await lastUsed(id)).toBeNull();
    await shown(key, other);
    const before = Date.now();
    await shown(key);
    await flush(node);
    await flush(other);
    expect(Date.parse(await lastUsed(id, other))).toBeGreaterThanOrEqual(before);
    const { body } = await node.call('GET', `${keysPath()}?limit=1000`);
    expect(body.keys.find((one: { id: string }) => one.id === id).lastUsedAt).toBe(await lastUsed(id));
    const { rows } = await postgres.pool.query('SELECT FROM event_store.events WHERE stream = $1', [
      `key-${id}`,
    ]);
    expect(rows).toHaveLength(1);
  });

  it('outlives the node that saw it', async () => {
    const { id, key } = await issued();
    const third = await startControlPlane(postgres.pool, { environment });
    await shown(key, third);
    await third.close();
    expect(await lastUsed(id)).toEqual(expect.any(String));
  });

  it('is not moved by a key that is refused', async () => {
    const { id, key } = await issued({ expiresAt: inMs(300) });
    await sleep(350);
    expect(await shown(key)).toBe(401);
    await flush(node);
    expect(await lastUsed(id)).toBeNull();
  });

  it('is kept until it can be written', async () => {
    const { id, key } = await issued();
    await settle();
    await shown(key);
    const query = jest.spyOn(postgres.pool, 'query').mockRejectedValueOnce(new Error('away') as never);
    await flush(node);
    query.mockRestore();
    expect(await lastUsed(id, other)).toBeNull();
    await flush(node);
    expect(await lastUsed(id, other)).toEqual(expect.any(String));
  });
});

it('a revoked key is refused by another node within seconds', async () => {
  const { id, key } = await issued();
  await settle();
  expect(await shown(key, other)).toBe(200);
  await node.call('DELETE', `${keysPath()}/${id}`);
  const revokedAt = Date.now();
  while ((await shown(key, other)) !== 401) {
    expect(Date.now() - revokedAt).toBeLessThan(5_000);
    await sleep(10);
  }
});

describe('a key in a URL', () => {
  it('is refused, even beside a good one, and not repeated', async () => {
    const { key } = await issued();
    for (const query of [`key=${key}`, `x=${key}`, `access_token=${OPERATOR_KEY}`]) {
      for (const given of [null, OPERATOR_KEY]) {
        const answer = await node.call('GET', `/v1/sites?${query}`, { key: given });
        expect([answer.status, answer.body.detail]).toEqual([401, expect.stringContaining('Authorization')]);
        expect(JSON.stringify(answer.body)).not.toContain(query.split('=')[1]);
      }
    }
  });
});
