// What the rest of Tidemark relies on: a pool that outlives dropped connections, a boot that
// says in words what is wrong with DATABASE_URL, and a shutdown in which PostgreSQL goes last.
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Pool } from 'pg';
import { startPostgres } from '../../test/servers/postgres.js';
import { ConfigModule } from '../config/config.module.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { reach } from './postgres-connection.js';
import { PostgresModule } from './postgres.module.js';

@Injectable()
class LastWriter implements OnModuleDestroy {
  wrote = false;
  constructor(readonly pool: Pool) {}
  async onModuleDestroy(): Promise<void> {
    await this.pool.query("INSERT INTO checkpoints (projection, version, partition) VALUES ('last', 1, 0)");
    this.wrote = true;
  }
}

@Module({ providers: [LastWriter] })
class WriterModule {}

function boot(environment: Record<string, string>) {
  const telemetry = new Telemetry('silent');
  const imports = [
    ConfigModule.with(readConfig(environment)),
    TelemetryModule.with(telemetry),
    PostgresModule,
    WriterModule,
  ];
  return { telemetry, compiled: Test.createTestingModule({ imports }).compile() };
}

describe('PostgresModule', () => {
  it('migrates the database of DATABASE_URL and serves a pool on it until everybody has drained', async () => {
    const database = await startPostgres();
    try {
      const { compiled } = boot({ DATABASE_URL: database.url });
      const app = await compiled;
      await app.init();
      const writer = app.get(LastWriter);
      expect((await writer.pool.query('SELECT * FROM checkpoints')).rowCount).toBe(0);
      await app.close();
      expect(writer.wrote).toBe(true);
      await expect(writer.pool.query('SELECT 1')).rejects.toThrow('after calling end');
    } finally {
      await database.stop();
    }
  });

  it('survives connections that the server drops, idle or between two statements', async () => {
    const database = await startPostgres();
    const { compiled, telemetry } = boot({ DATABASE_URL: database.url });
    const app = await compiled;
    await app.init();
    try {
      const pool = app.get(Pool);
      const taken = await pool.connect();
      await pool.query('SELECT 1');
      const lost = Promise.all([
        new Promise((resolve) => pool.once('error', resolve)),
        new Promise((resolve) => taken.once('end', resolve)),
      ]);
      const { Client } = await import('pg');
      const killer = new Client({ connectionString: database.url });
      await killer.connect();
      await killer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'tidemark'`,
      );
      await killer.end();
      await lost;
      await expect(taken.query('SELECT 1')).rejects.toThrow('not queryable');
      taken.release(true);
      expect((await pool.query('SELECT 1 AS a')).rows).toEqual([{ a: 1 }]);
      expect(await telemetry.registry.metrics()).toContain(
        'tidemark_postgres_pool_connections{state="idle"} 1',
      );
    } finally {
      await app.close();
      await database.stop();
    }
  });

  it('runs a PostgreSQL under DATA_DIR without DATABASE_URL, and stops it last', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'tidemark-module-'));
    await chmod(dataDirectory, 0o755);
    try {
      const { compiled } = boot({ DATA_DIR: dataDirectory });
      const app = await compiled;
      await app.init();
      const writer = app.get(LastWriter);
      const { rows } = await writer.pool.query("SELECT current_setting('server_version') AS version");
      expect(rows[0].version).toMatch(/^18\./);
      await app.close();
      expect(writer.wrote).toBe(true);
      expect(existsSync(join(dataDirectory, 'postgres', 'postmaster.pid'))).toBe(false);
    } finally {
      await rm(dataDirectory, { recursive: true });
    }
  });
});

describe('a DATABASE_URL that cannot be used', () => {
  const secret = 'hush-hush';

  it('pointing nowhere ends the boot with a message, in about ten seconds', async () => {
    const startedAt = Date.now();
    const { compiled } = boot({ DATABASE_URL: `postgres://tidemark:${secret}@127.0.0.1:1/tidemark` });
    const error = await compiled.catch((reason: Error) => reason);
    expect(error).toMatchObject({
      name: 'DatabaseUnavailableError',
      message: expect.stringMatching(/127\.0\.0\.1:1\/tidemark: .*ECONNREFUSED.*Check DATABASE_URL/),
    });
    expect((error as Error).message).not.toContain(secret);
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });

  it('leading to a server that never answers is given up in time', async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    try {
      const url = `postgres://a:${secret}@127.0.0.1:${port}/a`;
      await expect(reach(url, { timeoutMs: 500 })).rejects.toThrow(`127.0.0.1:${port}/a: timeout`);
    } finally {
      silent.close();
    }
  });

  it('naming a database that does not exist is refused at once', async () => {
    const database = await startPostgres();
    const url = new URL(database.url);
    url.pathname = '/nowhere';
    const startedAt = Date.now();
    await expect(reach(url.href, { timeoutMs: 10_000 })).rejects.toThrow('database "nowhere" does not exist');
    expect(Date.now() - startedAt).toBeLessThan(9_000);
    await database.stop();
  });

  it('that is no URL is refused without being repeated', async () => {
    const error = await reach(`postgres://a:${secret}@:x:y`, { timeoutMs: 10_000 }).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'DatabaseUnavailableError' });
    expect((error as Error).message).not.toContain(secret);
  });
});
