// The Postgres driver against a real server: the contract, and what only this driver can get wrong.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import { eventStoreContract } from '../../test/contract/event-store.contract.js';
import { type MigratedPostgres, openTestPool, startMigratedPostgres } from '../../test/servers/postgres.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EventStoreUnavailableError } from './event-store-unavailable.error.js';
import { PostgresEventStore } from './postgres.event-store.js';

const open = (pool: Pool) => new PostgresEventStore(pool, new Telemetry('silent'));
const happened = (n: number) => ({ type: 'Happened', data: { n } });
const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

eventStoreContract('postgres', {
  open: async () => {
    const database = await startMigratedPostgres();
    const store = open(database.pool);
    return {
      store,
      close: async () => {
        await store.close();
        await database.stop();
      },
    };
  },
});

describe('the Postgres event store', () => {
  let database: MigratedPostgres;
  let store: PostgresEventStore;

  beforeEach(async () => {
    database = await startMigratedPostgres();
    store = open(database.pool);
  });
  afterEach(async () => {
    await store.close();
    await database.stop();
  });

  async function appendHeldOpen(n: number): Promise<PoolClient> {
    const client = await database.pool.connect();
    await client.query('BEGIN; SELECT pg_advisory_xact_lock(7236021544198)');
    await client.query(
      `INSERT INTO event_store.events (position, stream, revision, type, data)
       SELECT coalesce(max(position), 0) + 1, 'held', 0, 'Happened', $1 FROM event_store.events`,
      [{ n }],
    );
    return client;
  }

  for (const [end, expected] of [
    ['COMMIT', [1, 2, 3]],
    ['ROLLBACK', [1, 3]],
  ] as const) {
    it(`never skips a transaction held open that ends in ${end}`, async () => {
      const seen: unknown[] = [];
      const subscription = await store.subscribeAll(null, (event) => void seen.push(event.data.n));
      await store.append('a', [happened(1)], 'none');
      const held = await appendHeldOpen(2);

      let appended = false;
      const append = store.append('b', [happened(3)], 'none').then(() => (appended = true));
      await soon(300);
      expect(appended).toBe(false);
      await subscription.caughtUp();
      expect(seen).toEqual([1]);

      await held.query(end);
      held.release();
      await append;
      await subscription.caughtUp();
      expect(seen).toEqual(expected);
      const { rows } = await database.pool.query('SELECT position::int FROM event_store.events ORDER BY 1');
      expect(rows.map((row) => row.position)).toEqual(expected.map((_, index) => index + 1));
    });
  }

  it('gives up waiting for a transaction that never ends, and stores nothing', async () => {
    const held = await appendHeldOpen(1);
    await expect(store.append('b', [happened(2)], 'none')).rejects.toThrow(EventStoreUnavailableError);
    await held.query('ROLLBACK');
    held.release();
    expect(await store.append('b', [happened(3)], 'none')).toEqual({ outcome: 'stored', revision: 0 });
  });

  it('is durable whatever the server is told about commits', async () => {
    await database.pool.query(`DO $$ BEGIN EXECUTE
      format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`);
    // The setting in force at the moment of the insert, seen from inside the transaction.
    await database.pool.query(`
      CREATE FUNCTION event_store.note_setting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.metadata := jsonb_build_object('commit', current_setting('synchronous_commit')); RETURN NEW;
      END $$;
      CREATE TRIGGER note_setting BEFORE INSERT ON event_store.events
        FOR EACH ROW EXECUTE FUNCTION event_store.note_setting()`);
    const pool = openTestPool(database.url);
    const lazy = open(pool);
    await lazy.append('a', [happened(1)], 'none');
    for await (const event of lazy.readStream('a')) expect(event.metadata).toEqual({ commit: 'on' });
    expect((await pool.query('SHOW synchronous_commit')).rows[0].synchronous_commit).toBe('off');
    await pool.end();
  });

  it('goes on after the server has cut all of its connections, and misses nothing', async () => {
    const seen: unknown[] = [];
    const subscription = await store.subscribeAll(null, (event) => void seen.push(event.data.n));
    await store.append('a', [happened(1)], 'any');
    await subscription.caughtUp();
    const other = openTestPool(database.url, 1);
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    for (let n = 2; n < 6; n++) {
      expect((await other.query(cut)).rowCount).toBeGreaterThan(0);
      await open(other).append('a', [happened(n)], 'any');
      await subscription.caughtUp();
    }
    await other.end();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('comes back by itself when the server was away for a while', async () => {
    const line = await cuttableLine(database.url);
    const pool = openTestPool(line.url);
    const distant = open(pool);
    const seen: unknown[] = [];
    const subscription = await distant.subscribeAll(null, (event) => void seen.push(event.data.n));
    await subscription.caughtUp();

    line.cut();
    await store.append('a', [happened(1)], 'any');
    await expect(distant.append('a', [happened(2)], 'any')).rejects.toThrow(EventStoreUnavailableError);
    await soon(1_500);
    const staleAt = subscription.freshAt;
    expect(Date.now() - staleAt).toBeGreaterThan(400);
    expect(seen).toEqual([]);

    await line.restore();
    await subscription.caughtUp();
    expect(seen).toEqual([1]);
    expect(subscription.freshAt).toBeGreaterThan(staleAt);

    // Notifications are back too: faster than the poll, over several tries.
    await soon(6_000);
    const delaysMs: number[] = [];
    for (let n = 2; n < 7; n++) {
      const startedAt = performance.now();
      await store.append('a', [happened(n)], 'any');
      while (!seen.includes(n)) await soon(2);
      delaysMs.push(performance.now() - startedAt);
    }
    expect(delaysMs.sort((a, b) => a - b)[2]).toBeLessThan(800);

    await distant.close();
    await pool.end();
    line.cut();
  });

  it('still hears of appends, by polling, when notifications do not come through', async () => {
    const subscription = await store.subscribeAll(null, () => undefined);
    await subscription.caughtUp();
    const seen: unknown[] = [];
    const second = await store.subscribeAll(null, (event) => void seen.push(event.data.n));
    await second.caughtUp();
    await database.pool.query(
      `INSERT INTO event_store.events (position, stream, revision, type, data)
       VALUES (1, 'silent', 0, 'Happened', '{"n":1}')`,
    );
    const startedAt = Date.now();
    while (seen.length === 0 && Date.now() - startedAt < 60_000) await soon(20);
    expect(seen).toEqual([1]);
  });

  it('counts its appends by outcome', async () => {
    const telemetry = new Telemetry('silent');
    const counted = new PostgresEventStore(database.pool, telemetry);
    await counted.append('a', [happened(1)], 'none');
    await counted.append('a', [happened(1)], 'none');
    const metrics = await telemetry.registry.metrics();
    expect(metrics).toContain('tidemark_event_store_appends_total{outcome="stored"} 1');
    expect(metrics).toContain('tidemark_event_store_appends_total{outcome="conflict"} 1');
  });
});

/** A TCP line to the server of `url` that can be cut, refusing new connections, and restored. */
async function cuttableLine(url: string): Promise<{ url: string; cut(): void; restore(): Promise<void> }> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const serve = async (port: number): Promise<Server> => {
    const server = createServer((near) => {
      const far = connect(Number(target.port || 5432), target.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('error', () => undefined).on('close', () => to.destroy());
        from.pipe(to);
      }
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await serve(0);
  const { port } = server.address() as { port: number };
  const line = new URL(url);
  line.host = `127.0.0.1:${port}`;
  return {
    url: line.href,
    cut: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    restore: async () => {
      server = await serve(port);
    },
  };
}
