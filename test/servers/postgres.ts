// A database of its own for whoever asks: inside TEST_DATABASE_URL's server if that is set, else
// inside one embedded server that the whole Jest run shares. The first to ask starts it, the
// others adopt it, the last to stop stops it; jest-teardown.js sees to what was forgotten.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { EmbeddedServer } from '../../src/postgres/embedded-server.js';
import { migrate } from '../../src/postgres/migrate.js';
import { runDirectory } from './run-directory.js';

export interface TestPostgres {
  readonly url: string;
  /** Drops the database. */
  stop(): Promise<void>;
}

export interface MigratedPostgres extends TestPostgres {
  /** Ended by `stop`. */
  readonly pool: Pool;
}

/** An empty database. */
export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env['TEST_DATABASE_URL'];
  const server = given ? undefined : await startServer();
  const serverUrl = given ?? (server as RunningServer).url;
  const name = `tidemark_test_${randomBytes(6).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE ${name}`);
  return {
    url: withDatabase(serverUrl, name),
    async stop() {
      await execute(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await execute(serverUrl, `DROP ROLE IF EXISTS ${rolesOf(name).join(', ')}`);
      await server?.stop();
    },
  };
}

/** A database with every migration applied, and a pool on it. */
export async function startMigratedPostgres(): Promise<MigratedPostgres> {
  return migrated(await startPostgres());
}

export async function migrated({ url, stop }: TestPostgres): Promise<MigratedPostgres> {
  await migrate(url);
  const pool = openTestPool(url);
  return {
    url,
    pool,
    async stop() {
      await pool.end();
      await stop();
    },
  };
}

/** As in the product, a connection that is cut ends nothing but what it was used for. */
export function openTestPool(url: string, connectionsMax = 10): Pool {
  const pool = new Pool({ connectionString: url, max: connectionsMax });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** What durability costs is nothing a test needs. */
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '64MB' };

interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

async function startServer(): Promise<RunningServer> {
  const shared = runDirectory();
  const dataDirectory = shared ?? mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const log = pino({ level: 'silent' });
  const server = await EmbeddedServer.start({ dataDirectory, log, settings: FAST });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      if (shared === undefined) await rm(dataDirectory, { recursive: true });
    },
  };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** They belong to the server, and would outlive their database. */
const rolesOf = (database: string): readonly string[] =>
  ['app', 'tenant'].map(
    (kind) => `tidemark_${kind}_${createHash('md5').update(database).digest('hex').slice(0, 8)}`,
  );

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
