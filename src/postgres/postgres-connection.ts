// The process's way to PostgreSQL: the one of DATABASE_URL, or the embedded one. Open means
// reached, new enough, migrated; closed means the pool has drained and then, last of all, the
// embedded server has been stopped.
import { setTimeout as delay } from 'node:timers/promises';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Client, Pool, type PoolConfig } from 'pg';
import type { Config } from '../config/config.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { within } from '../waiting/within.js';
import { asApplication } from './database-roles.js';
import { EmbeddedServer } from './embedded-server.js';
import { migrate } from './migrate.js';
import { DatabaseUnavailableError } from './postgres.errors.js';
import { measurePool } from './postgres.telemetry.js';
import { SilenceWatch } from './silence-watch.js';

export interface ReachLimits {
  readonly timeoutMs: number;
}

const POOL_CONNECTIONS_MAX = 10;
const STATEMENT_TIMEOUT_MS = 60_000;
const CONNECTION_TIMEOUT_MS = 5_000;
const REACH_TIMEOUT_MS = 10_000;
const REACH_INTERVAL_MS = 250;
const DRAIN_TIMEOUT_MS = 5_000;
const OLDEST_VERSION = 15;

export class PostgresConnection implements OnApplicationShutdown {
  readonly #watch: SilenceWatch;

  private constructor(
    readonly pool: Pool,
    private readonly server: EmbeddedServer | undefined,
    private readonly telemetry: Telemetry,
  ) {
    this.#watch = new SilenceWatch(pool, (connections) =>
      telemetry.log.warn({ connections }, 'PostgreSQL says nothing: connections that waited were cut'),
    );
  }

  /** @throws EmbeddedServerError or DatabaseUnavailableError, with a message for the operator. */
  static async open(config: Config, telemetry: Telemetry): Promise<PostgresConnection> {
    const { log } = telemetry;
    const server =
      config.DATABASE_URL === undefined
        ? await EmbeddedServer.start({ dataDirectory: config.DATA_DIR, log })
        : undefined;
    try {
      const url = server?.url ?? config.DATABASE_URL!;
      await reach(url, { timeoutMs: REACH_TIMEOUT_MS });
      const applied = await migrate(url).catch((error: Error) => {
        throw new DatabaseUnavailableError(
          `The database at ${placeOf(url)} could not be migrated: ${error.message}`,
          { cause: error },
        );
      });
      if (applied.length > 0) log.info({ migrations: applied }, 'the database was migrated');
      return new PostgresConnection(openPool(await asApplication(url), telemetry), server, telemetry);
    } catch (error) {
      await server?.stop();
      throw error;
    }
  }

  /** The last of Nest's shutdown phases: HTTP is closed, every module has drained. */
  async onApplicationShutdown(): Promise<void> {
    const ended = this.pool.end().then(() => true);
    const isDrained = await within(DRAIN_TIMEOUT_MS, ended);
    this.#watch.stop();
    if (!isDrained) {
      const busy = this.pool.totalCount - this.pool.idleCount;
      this.telemetry.log.warn({ connections: busy }, 'PostgreSQL connections were still in use at shutdown');
    }
    if (this.server && (await this.server.stop()) === 'in-use') {
      this.telemetry.log.info('the embedded PostgreSQL keeps running for another Tidemark process');
    }
  }
}

function openPool(connection: PoolConfig, { log, registry }: Telemetry): Pool {
  const pool = new Pool({
    ...connection,
    application_name: 'tidemark',
    max: POOL_CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Without a listener, a connection that drops while idle would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle PostgreSQL connection was lost'));
  // Nor one that drops in use, between two statements: the next one fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  measurePool(registry, pool);
  return pool;
}

/** Waits for a server that is still starting; gives up at once on what waiting cannot mend. */
export async function reach(url: string, limits: ReachLimits): Promise<void> {
  const deadline = Date.now() + limits.timeoutMs;
  for (;;) {
    try {
      return await tryOnce(url, Math.max(1, deadline - Date.now()));
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) throw error;
      if (!isPassing(error) || Date.now() + REACH_INTERVAL_MS > deadline) throw unreachable(url, error);
    }
    await delay(REACH_INTERVAL_MS);
  }
}

async function tryOnce(url: string, timeoutMs: number): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  client.on('error', () => undefined); // told by the rejected call as well
  try {
    await client.connect();
    await checkVersion(client, url);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function checkVersion(client: Client, url: string): Promise<void> {
  const { rows } = await client.query('SHOW server_version_num');
  const major = Math.floor(Number(rows[0].server_version_num) / 10_000);
  if (major >= OLDEST_VERSION) return;
  throw new DatabaseUnavailableError(
    `The PostgreSQL at ${placeOf(url)} is version ${major}; Tidemark needs ${OLDEST_VERSION} or newer.`,
  );
}

/** Network errors, a server that starts or stops, one with no connection left. */
function isPassing(error: unknown): boolean {
  const { code = '' } = error as { code?: string };
  const isSqlState = /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
  return isSqlState ? ['57P03', '57P01', '53300'].includes(code) : !code.startsWith('ERR_');
}

function unreachable(url: string, error: unknown): DatabaseUnavailableError {
  const { message, code = '', errors } = error as { message: string; code?: string; errors?: Error[] };
  const reason = message || errors?.map((one) => one.message).join(', ') || code;
  return new DatabaseUnavailableError(
    `PostgreSQL could not be used at ${placeOf(url)}: ${reason}. Check DATABASE_URL and that the server runs.`,
  );
}

/** Where, without who and with what password. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL, which is not a valid URL';
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
