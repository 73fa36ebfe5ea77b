// The product killed with -9 after a request has made something and before its answer is kept: sent again
// under the same Idempotency-Key, the request gets the answer of the one thing that there is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../servers/free-port.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { Child } from './child.js';

const OPERATOR_KEY = 'operator-key-of-the-crash-test-0123456789';
const SITE = '/v1/sites/first.example';
const REBUILDS = '/admin/v1/projections/sessions/rebuilds';

interface Sent {
  readonly path: string;
  readonly body: object;
  /** Where what it makes is listed, by itself, and under which name. */
  readonly list: string;
  readonly field: string;
}

const REQUESTS: readonly Sent[] = [
  { path: '/v1/sites', body: { domain: 'second.example' }, list: '/v1/sites', field: 'sites' },
  { path: `${SITE}/keys`, body: { name: 'k', scopes: ['stats:read'] }, list: `${SITE}/keys`, field: 'keys' },
  { path: `${SITE}/goals`, body: { name: 'g', eventName: 'Signup' }, list: `${SITE}/goals`, field: 'goals' },
  {
    path: `${SITE}/exports`,
    body: { what: 'events', format: 'ndjson', date_range: '7d' },
    list: `${SITE}/jobs`,
    field: 'jobs',
  },
  { path: REBUILDS, body: {}, list: '/admin/v1/rebuilds', field: 'rebuilds' },
];

describe('kill -9 before the answer is kept', () => {
  let postgres: MigratedPostgres;
  let directory: string;
  let url: string;
  let child: Child;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    directory = await mkdtemp(join(tmpdir(), 'tidemark-repeated-'));
    url = `http://127.0.0.1:${await freePort()}`;
  });
  afterAll(async () => {
    await child?.kill('SIGTERM');
    await postgres.stop();
    await rm(directory, { recursive: true });
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    child = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: directory,
        DATABASE_URL: postgres.url,
        PORT: new URL(url).port,
        OPERATOR_KEY,
        LOG_LEVEL: 'warn',
        ...environment,
      },
    });
    while ((await fetch(`${url}/health/ready`).catch(() => null))?.ok !== true) {
      if (await Promise.race([child.ended, sleep(50)])) throw new Error(child.stderr);
    }
  }

  const call = (method: string, path: string, body?: object) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${OPERATOR_KEY}`,
        ...(body && { 'content-type': 'application/json', 'idempotency-key': `"${path}"` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });

  it('makes each thing once', async () => {
    await start();
    expect((await call('POST', '/v1/sites', { domain: 'first.example' })).status).toBe(201);
    await postgres.pool.query('TRUNCATE repeatable_requests');
    await child.kill('SIGTERM');
    for (const { path, body } of REQUESTS) {
      await start({ FAILPOINT: 'repeatable.before-answer:0' });
      await expect(call('POST', path, body)).rejects.toThrow();
      expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' });
    }

    await start();
    // Half a minute goes by, after which the attempts are taken for dead.
    await postgres.pool.query(`UPDATE repeatable_requests SET until = until - interval '1 minute'`);
    for (const { path, body, list, field } of REQUESTS) {
      const first = await call('POST', path, body);
      expect([path, first.status]).toEqual([path, path === REBUILDS || path.endsWith('exports') ? 202 : 201]);
      const made = (await first.json()) as { readonly id: string; readonly key?: string };
      const second = await call('POST', path, body);
      expect([second.headers.get('idempotency-replayed'), await second.json()]).toEqual(['true', made]);
      const listed = (await (await call('GET', list)).json()) as Record<string, { readonly id: string }[]>;
      const others = path === '/v1/sites' ? 1 : 0;
      expect(listed[field]).toHaveLength(1 + others);
      expect(listed[field]).toContainEqual(expect.objectContaining({ id: made.id }));
      if (made.key !== undefined) {
        const shown = await fetch(`${url}${SITE}`, { headers: { authorization: `Bearer ${made.key}` } });
        expect(shown.status).toBe(200);
      }
    }
  }, 300_000);
});
