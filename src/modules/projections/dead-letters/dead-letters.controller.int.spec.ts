// The list of dead letters, and who may see and change it, over HTTP on a real PostgreSQL.
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { batchNamed } from '../../../../test/crash/named-batches.js';
import { insertDeadLetters } from './dead-letter-writer.js';
import { DeadLettersModule } from './dead-letters.module.js';

const PATH = '/admin/v1/dead-letters';
const LETTERS = 60;

let postgres: MigratedPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, { modules: [DeadLettersModule] });
  for (let position = 0; position < LETTERS; position++) await insert(position);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

/** Three at a time share their moment, as letters of one commit do. */
async function insert(position: number): Promise<void> {
  const client = await postgres.pool.connect();
  const site = position % 4 === 0 ? 'a' : 'b';
  const event = { ...batchNamed(`${position}`, 1)[0]!, site };
  const place = { projection: 'sessions', version: 1, partition: 0, position: String(position) };
  const letter = (index: number) => ({ kind: 'event', ...place, index, event, error: 'a bug' }) as const;
  await client.query('BEGIN');
  await insertDeadLetters(client, [0, 1, 2].map(letter));
  await client.query('COMMIT');
  client.release();
}

const letters = async (query = '') => (await plane.call('GET', `${PATH}${query}`)).body.deadLetters;

describe('the list of dead letters', () => {
  it('is in pages, newest first, each letter once', async () => {
    const seen: { id: string; failedAt: string; position: string }[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '?limit=7' : `?limit=7&cursor=${cursor}`;
      const { body } = await plane.call('GET', `${PATH}${query}`);
      expect(body.deadLetters.length).toBeLessThanOrEqual(7);
      seen.push(...body.deadLetters);
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(LETTERS * 3);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(LETTERS * 3);
    const positions = seen.map(({ position }) => Number(position));
    expect(positions).toEqual(positions.toSorted((a, b) => b - a));
  });

  it('goes on where it was though letters disappear meanwhile', async () => {
    const first = (await plane.call('GET', `${PATH}?limit=10`)).body;
    const ids = first.deadLetters.map(({ id }: { id: string }) => id);
    const { rows } = await postgres.pool.query('DELETE FROM dead_letters WHERE id = ANY($1) RETURNING *', [
      ids,
    ]);
    const { body } = await plane.call('GET', `${PATH}?limit=100&cursor=${first.next_cursor}`);
    expect(body.deadLetters).toHaveLength(100);
    const again = body.deadLetters.filter(({ id }: { id: string }) => ids.includes(id));
    expect(again).toEqual([]);
    expect(body.deadLetters[0].position).toBe('56');
    expect(rows).toHaveLength(10);
  });

  it('can be narrowed to a site, by id or domain, and to a projection', async () => {
    const site = (await plane.call('POST', '/v1/sites', { body: { domain: 'letters.example' } })).body;
    await postgres.pool.query(`UPDATE dead_letters SET site = $1 WHERE site = 'a' AND position = '4'`, [
      site.id,
    ]);
    for (const named of [site.id, 'letters.example']) {
      expect(await letters(`?site=${named}`)).toHaveLength(3);
    }
    const ofSite = await letters('?site=a&limit=100');
    expect(ofSite.length).toBeGreaterThan(30);
    expect(ofSite.every((letter: { site: string }) => letter.site === 'a')).toBe(true);
    expect(await letters('?projection=sessions&site=b&limit=5')).toHaveLength(5);
    expect(await letters('?projection=traffic')).toEqual([]);
    expect(await letters()).toHaveLength(50);
  });

  it.each([
    ['limit=101', 'limit'],
    ['limit=0', 'limit'],
    ['cursor=AAAA', 'cursor'],
    ['cursor=', 'cursor'],
    [`cursor=${Buffer.from('2026-02-31T00:00:00.000000Z x').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('2026-02-01T00:00:00.000000Z a\0b').toString('base64url')}`, 'cursor'],
    ['site=%00', 'site'],
    ['projection=', 'projection'],
    ['sort=site', 'sort'],
  ])('refuses ?%s, naming %s', async (query, path) => {
    const answer = await plane.call('GET', `${PATH}?${query}`);
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, path]);
  });
});

describe('dead letters are', () => {
  it.each([
    ['GET', PATH],
    ['GET', `${PATH}/x`],
    ['POST', `${PATH}/x/replay`],
    ['DELETE', `${PATH}/x`],
  ] as const)('for the operator, and for nobody else: %s %s', async (method, path) => {
    const scopes = ['sites:admin', 'stats:read', 'ingest:server'];
    const { key } = (await plane.call('POST', '/v1/keys', { body: { name: 'k', scopes } })).body;
    for (const [given, status] of [
      [null, 401],
      ['tm_not-a-key', 401],
      [key, 403],
    ] as const) {
      const answer = await plane.call(method, path, { key: given });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    }
    expect((await plane.call(method, path)).status).toBe(path === PATH ? 200 : 404);
  });

  it('replayed with POST only', async () => {
    const answer = await plane.call('GET', `${PATH}/x/replay`);
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
  });

  it.each(['%00', 'a%20b', 'x'.repeat(201), "'; DROP TABLE dead_letters"])('not called %s', async (id) => {
    for (const method of ['GET', 'DELETE'] as const) {
      const answer = await plane.call(method, `${PATH}/${id}`);
      expect([answer.status, answer.body.title]).toEqual([404, 'There is no such thing']);
    }
  });
});
