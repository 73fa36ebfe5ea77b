// What a process writes while keys, cookies and secrets pass through it, with every line that it can write:
// none of them is in it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../crash/child.js';
import { freePort } from '../servers/free-port.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';

const OPERATOR_KEY = 'operator-key-of-the-log-test-0123456789abc';
const SECRETS = {
  unknownKey: 'tm_4fQ9sXbT1mVc7Yd2KpLr8WnE5h2GwBRl',
  cookie: 'session-that-nobody-may-read-0123456789',
  idempotencyKey: 'idempotency-key-that-is-half-of-a-secret',
};

let postgres: MigratedPostgres;
let directory: string;
let child: Child;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  directory = await mkdtemp(join(tmpdir(), 'tidemark-secrets-'));
});
afterAll(async () => {
  await child?.kill('SIGTERM');
  await postgres.stop();
  await rm(directory, { recursive: true });
});

it('has no key, no cookie and no header of a request in it', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  child = await Child.start('src/main.js', {
    environment: {
      DATA_DIR: directory,
      DATABASE_URL: postgres.url,
      PORT: new URL(url).port,
      OPERATOR_KEY,
      LOG_LEVEL: 'trace',
    },
  });
  while ((await fetch(`${url}/health/ready`).catch(() => null))?.ok !== true) {
    if (await Promise.race([child.ended, sleep(50)])) throw new Error(child.stderr);
  }
  const call = (path: string, { key = OPERATOR_KEY, body }: { key?: string; body?: object } = {}) =>
    fetch(url + path, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${key}`,
        cookie: `session=${SECRETS.cookie}`,
        'idempotency-key': SECRETS.idempotencyKey,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });

  await call('/v1/sites', { body: { domain: 'logs.example' } });
  const scopes = ['stats:read', 'ingest:server'];
  const issued = await call('/v1/sites/logs.example/keys', { body: { name: 'k', scopes } });
  const { key } = (await issued.json()) as { readonly key: string };
  const statuses = [
    await call('/v1/sites/logs.example', { key }),
    await call('/v1/sites', { key: SECRETS.unknownKey }),
    await call(`/v1/sites?key=${key}`),
    await call('/v1/events?api_key=x', { key, body: { url: 'https://logs.example/' } }),
    await call('/v1/events', { key, body: { site: 'logs.example', url: 'https://logs.example/' } }),
    await call('/v1/sites/logs.example/keys', { key, body: { name: 'k', scopes } }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 401, 401, 401, 202, 403]);
  // A failure of our own, whose error is logged whole.
  await postgres.pool.query('ALTER TABLE key_uses RENAME TO key_uses_away');
  expect((await call('/v1/sites/logs.example/keys')).status).toBe(500);

  await child.kill('SIGTERM');
  const written = [...child.lines, child.stderr].join('\n');
  expect(written).toContain('/v1/sites/:site/keys');
  expect(written).toContain('key_uses');
  for (const secret of [key, OPERATOR_KEY, ...Object.values(SECRETS), 'Bearer', 'api_key']) {
    expect(written).not.toContain(secret);
  }
});
