// The PostgreSQL that Tidemark runs for itself when there is no DATABASE_URL. Several Tidemark
// processes may share one DATA_DIR: the first starts the server, the others adopt it, and the
// last to leave stops it. Each user of the server holds a shared advisory lock on a connection
// of its own; who can take that lock alone is the last. A server that outlived a killed
// Tidemark is adopted at the next boot; one that dies is started again on the same port.
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { type Cluster, openCluster, SUPERUSER } from './cluster.js';
import { ensurePostmaster, type Postmaster, signal, stopPostmaster } from './postmaster.js';
import { EmbeddedServerError } from './postgres.errors.js';
import { findServerBinaries, packagedNative } from './server-binaries.js';

export interface EmbeddedServerOptions {
  readonly dataDirectory: string;
  readonly log: Logger;
  /** Settings of PostgreSQL beyond Tidemark's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The `native` directory with the binaries; by default the platform package's. */
  readonly native?: string;
}

const DATABASE = 'tidemark';
/** In the database `postgres`, where Tidemark keeps nothing else. */
const PRESENCE_LOCK = 7_433_001;
const STOP_TIMEOUT_MS = 30_000;
const JOIN_TIMEOUT_MS = 120_000;
const JOIN_INTERVAL_MS = 50;
const RECOVERY_INTERVAL_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;

export class EmbeddedServer {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #logPath: string;
  #postmaster!: Postmaster;
  #presence: Client | undefined;
  #started = false;
  readonly #stopping = new AbortController();
  #recovery: Promise<void> = Promise.resolve();

  /** A Tidemark that dies with an exit code still asks its server to stop; SIGKILL leaves it to adoption. */
  readonly #onExit = (): void => {
    if (this.#started) signal(this.#postmaster.pid);
  };

  private constructor(cluster: Cluster, options: EmbeddedServerOptions) {
    this.#cluster = cluster;
    this.#log = options.log;
    this.#logPath = join(options.dataDirectory, 'postgres.log');
  }

  /** @throws EmbeddedServerError when no PostgreSQL can be run here, saying what to do. */
  static async start(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
    const cluster = await prepare(options).catch(explain);
    const server = new EmbeddedServer(cluster, options);
    await server.#join();
    process.on('exit', server.#onExit);
    return server;
  }

  get url(): string {
    return this.#urlOf(DATABASE);
  }

  get pid(): number {
    return this.#postmaster.pid;
  }

  /** Leaves the server; stops it unless another Tidemark process is using it. */
  async stop(): Promise<'stopped' | 'in-use'> {
    this.#stopping.abort();
    await this.#recovery;
    await this.#presence?.end().catch(() => undefined);
    process.off('exit', this.#onExit);
    const usage = await this.#usage();
    if (usage === 'unused') {
      await stopPostmaster(this.#cluster.directory, { pid: this.pid, timeoutMs: STOP_TIMEOUT_MS });
    }
    return usage === 'used' ? 'in-use' : 'stopped';
  }

  /** Starts or adopts the server and takes the presence lock; again when it stops in between. */
  async #join(port?: number): Promise<void> {
    const startedAt = Date.now();
    for (;;) {
      const found = await ensurePostmaster(this.#cluster, {
        logPath: this.#logPath,
        ...(port === undefined ? {} : { port }),
      });
      if (port !== undefined && found.port !== port) {
        throw new EmbeddedServerError(
          `the embedded PostgreSQL moved from port ${port} to ${found.port}: restart this process`,
        );
      }
      this.#postmaster = found;
      this.#started = found.started;
      try {
        await this.#takePresence();
        break;
      } catch (error) {
        if (Date.now() - startedAt > JOIN_TIMEOUT_MS || !isGoingDown(error)) throw error;
        await delay(JOIN_INTERVAL_MS);
      }
    }
    this.#log.info(
      { ...this.#postmaster, durationMs: Date.now() - startedAt },
      'the embedded PostgreSQL is ready',
    );
  }

  async #takePresence(): Promise<void> {
    const presence = await this.#connect('tidemark-presence');
    try {
      await presence.query('SELECT pg_advisory_lock_shared($1)', [PRESENCE_LOCK]);
      await createDatabase(presence);
    } catch (error) {
      await presence.end().catch(() => undefined);
      throw error;
    }
    this.#presence = presence;
    presence.once('end', () => {
      if (!this.#stopping.signal.aborted) this.#recovery = this.#recover();
    });
  }

  /** The pool knows the port it was given, so a server that comes back must be there again. */
  async #recover(): Promise<void> {
    const { signal: stopping } = this.#stopping;
    this.#log.warn('the embedded PostgreSQL went away; starting it again');
    while (!stopping.aborted) {
      try {
        return await this.#join(this.#postmaster.port);
      } catch (error) {
        this.#log.error({ err: error }, 'the embedded PostgreSQL could not be started again');
        await delay(RECOVERY_INTERVAL_MS, undefined, { signal: stopping }).catch(() => undefined);
      }
    }
  }

  /** `unused` is answered once: this process then holds the lock until the server is gone, so
   * that whoever boots meanwhile waits for it, fails with the server, and starts a new one. */
  async #usage(): Promise<'used' | 'unused' | 'gone'> {
    try {
      const client = await this.#connect('tidemark-last');
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS alone', [PRESENCE_LOCK]);
      if (rows[0].alone as boolean) return 'unused';
      await client.end();
      return 'used';
    } catch (error) {
      if (isGoingDown(error)) return 'gone';
      throw error;
    }
  }

  async #connect(applicationName: string): Promise<Client> {
    const client = new Client({
      connectionString: this.#urlOf('postgres'),
      application_name: applicationName,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('error', () => undefined); // 'end' follows, and is what counts
    await client.connect();
    return client;
  }

  #urlOf(database: string): string {
    return `postgres://${SUPERUSER}:${this.#cluster.password}@127.0.0.1:${this.#postmaster.port}/${database}?sslmode=disable`;
  }
}

async function prepare(options: EmbeddedServerOptions): Promise<Cluster> {
  const { dataDirectory, native = packagedNative(), settings = {} } = options;
  await mkdir(dataDirectory, { recursive: true });
  const binaries = await findServerBinaries(native, [dataDirectory, '/var/tmp', tmpdir()]);
  return openCluster({ dataDirectory, binaries, settings });
}

/** A full disk, a read-only or closed directory: the operator's to mend, so in words. */
function explain(error: NodeJS.ErrnoException): never {
  if (error.syscall === undefined) throw error;
  throw new EmbeddedServerError(
    `The embedded PostgreSQL cannot use DATA_DIR: ${error.message}. Mend that, or set DATABASE_URL.`,
    { cause: error },
  );
}

async function createDatabase(client: Client): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (found.rowCount) return;
  try {
    await client.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    // Another process, booting at the same moment, was faster: either check may see it.
    if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
  }
}

/** Refused or cut connections, and "the database system is shutting down" or "starting up". */
function isGoingDown(error: unknown): boolean {
  const { code = '', message } = error as { code?: string; message: string };
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03'].includes(code) ||
    message.includes('Connection terminated') ||
    message.includes('not queryable')
  );
}
