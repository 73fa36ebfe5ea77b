// API keys over HTTP, on a real PostgreSQL.
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { KeyDirectory } from '../directories/key.directory.js';

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: { id: string; domain: string };
let other: { id: string };

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool);
  site = (await plane.call('POST', '/v1/sites', { body: { domain: 'keys.example' } })).body;
  other = (await plane.call('POST', '/v1/sites', { body: { domain: 'other.example' } })).body;
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

const byText = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1);
const issue = (path: string, body: unknown, key?: string) =>
  plane.call('POST', path, { body, ...(key !== undefined && { key }) });

describe('issuing a key', () => {
  it('shows it once, with what it will be recognised by', async () => {
    const body = { name: 'Server', scopes: ['ingest:server', 'stats:read'] };
    const issued = await issue(`/v1/sites/${site.domain}/keys`, body);
    expect(issued.status).toBe(201);
    expect(issued.body).toEqual({
      id: expect.stringMatching(/^k[1-9A-HJ-NP-Za-km-z]{11}$/),
      key: expect.stringMatching(/^tm_[0-9A-Za-z]{32}$/),
      prefix: issued.body.key.slice(0, 10),
      ...body,
      site: site.id,
      createdAt: expect.any(String),
      expiresAt: null,
      lastUsedAt: null,
      successor: null,
    });
    const listed = await plane.call('GET', `/v1/sites/${site.id}/keys`);
    const { key, ...shown } = issued.body;
    expect(listed.body.keys).toContainEqual(shown);
    expect(JSON.stringify(listed.body)).not.toContain(key);
  });

  it('stores nothing that the key could be read from', async () => {
    const { key } = (await issue(`/v1/sites/${site.id}/keys`, { name: 'k', scopes: ['ingest'] })).body;
    const { rows } = await postgres.pool.query(
      'SELECT data::text || coalesce(metadata::text, $1) AS text FROM event_store.events',
      [''],
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ text }) => text.includes(key))).toBe(false);
  });

  it('is good at once, for what it was issued for', async () => {
    const { key } = (await issue(`/v1/sites/${site.id}/keys`, { name: 'k', scopes: ['stats:read'] })).body;
    expect((await plane.call('GET', `/v1/sites/${site.id}`, { key })).status).toBe(200);
    expect((await plane.call('GET', `/v1/sites/${other.id}`, { key })).status).toBe(404);
    expect(plane.app.get(KeyDirectory).find(key)).toMatchObject({ merchant: 'default', site: site.id });
  });

  it('for a whole merchant is not for the public scope', async () => {
    const answer = await issue('/v1/keys', { name: 'k', scopes: ['ingest'] });
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'scopes']);
    const issued = await issue('/v1/keys', { name: 'k', scopes: ['ingest:server'] });
    expect(issued).toMatchObject({ status: 201, body: { site: null } });
  });

  it.each([
    [{}, ['name', 'scopes']],
    [{ name: 'k', scopes: [] }, ['scopes']],
    [{ name: 'k', scopes: 'ingest' }, ['scopes']],
    [{ name: 'k', scopes: ['everything'] }, ['scopes']],
    [{ name: 'k', scopes: ['operator'] }, ['scopes']],
    [{ name: 'k', scopes: ['ingest', 'ingest'] }, ['scopes']],
    [{ name: ' ', scopes: ['ingest'] }, ['name']],
    [{ name: 'k', scopes: ['ingest'], site: 'x' }, ['site']],
    [{ name: 'k', scopes: ['ingest'], expiresAt: '2020-01-01T00:00:00Z' }, ['expiresAt']],
    [{ name: 'k', scopes: ['ingest'], expiresAt: '2030-02-30T00:00:00Z' }, ['expiresAt']],
    [{ name: 'k', scopes: ['ingest'], expiresAt: '2030-01-01T00:00:00' }, ['expiresAt']],
    [{ name: 'k', scopes: ['ingest'], expiresAt: '2199-01-01T00:00:00Z' }, ['expiresAt']],
    [{ name: 'k', scopes: ['ingest'], expiresAt: null }, ['expiresAt']],
    [{ name: 'k', scopes: ['ingest'], expiresAt: 1_900_000_000_000 }, ['expiresAt']],
  ])('refuses %j, naming what is wrong', async (body, paths) => {
    const answer = await issue(`/v1/sites/${site.id}/keys`, body);
    expect(answer.status).toBe(400);
    const named = answer.body.errors.map(({ path }: { path: string }) => path);
    expect([...new Set(named)].sort(byText)).toEqual(paths);
  });

  it('needs the scope, and reach', async () => {
    const scopes = ['ingest'];
    const reader = (await issue(`/v1/sites/${site.id}/keys`, { name: 'r', scopes: ['stats:read'] })).body.key;
    const admin = (await issue(`/v1/sites/${site.id}/keys`, { name: 'a', scopes: ['sites:admin', 'ingest'] }))
      .body.key;
    expect((await issue(`/v1/sites/${site.id}/keys`, { name: 'k', scopes }, reader)).status).toBe(403);
    expect((await issue(`/v1/sites/${site.id}/keys`, { name: 'k', scopes }, admin)).status).toBe(201);
    expect((await issue(`/v1/sites/${other.id}/keys`, { name: 'k', scopes }, admin)).status).toBe(404);
    expect((await issue('/v1/keys', { name: 'k', scopes: ['stats:read'] }, admin)).status).toBe(403);
    expect((await plane.call('GET', '/v1/keys', { key: admin })).status).toBe(403);
  });
});

describe('revoking a key', () => {
  it('ends it at once', async () => {
    const { id, key } = (await issue(`/v1/sites/${site.id}/keys`, { name: 'k', scopes: ['stats:read'] }))
      .body;
    expect((await plane.call('GET', `/v1/sites/${site.id}`, { key })).status).toBe(200);
    expect((await plane.call('DELETE', `/v1/sites/${site.id}/keys/${id}`)).status).toBe(204);
    expect((await plane.call('GET', `/v1/sites/${site.id}`, { key })).status).toBe(401);
    expect((await plane.call('DELETE', `/v1/sites/${site.id}/keys/${id}`)).status).toBe(404);
    const { body } = await plane.call('GET', `/v1/sites/${site.id}/keys`);
    expect(body.keys.map((one: { id: string }) => one.id)).not.toContain(id);
  });

  it('is done where the key belongs, and nowhere else', async () => {
    const ofSite = (await issue(`/v1/sites/${site.id}/keys`, { name: 'k', scopes: ['ingest'] })).body;
    const ofMerchant = (await issue('/v1/keys', { name: 'k', scopes: ['stats:read'] })).body;
    for (const path of [
      `/v1/keys/${ofSite.id}`,
      `/v1/sites/${other.id}/keys/${ofSite.id}`,
      `/v1/sites/${site.id}/keys/${ofMerchant.id}`,
      '/v1/keys/absent',
    ]) {
      expect((await plane.call('DELETE', path)).status).toBe(404);
    }
    expect((await plane.call('DELETE', `/v1/keys/${ofMerchant.id}`)).status).toBe(204);
    const keys = plane.app.get(KeyDirectory);
    expect(keys.find(ofMerchant.key)).toBeUndefined();
    expect(keys.find(ofSite.key)).toMatchObject({ id: ofSite.id });
  });
});

it('lists keys page by page', async () => {
  for (let n = 0; n < 5; n++) {
    await issue(`/v1/sites/${other.id}/keys`, { name: `k${n}`, scopes: ['ingest'] });
  }
  const first = (await plane.call('GET', `/v1/sites/${other.id}/keys?limit=3`)).body;
  const rest = (await plane.call('GET', `/v1/sites/${other.id}/keys?limit=3&cursor=${first.next_cursor}`))
    .body;
  expect([first.keys.length, rest.keys.length, rest.next_cursor]).toEqual([3, 2, null]);
  const ids = [...first.keys, ...rest.keys].map((key: { id: string }) => key.id);
  expect(new Set(ids).size).toBe(5);
});
