// The product in processes of its own for benchmarks of the query side: its roles as `npm start` runs
// them, over a PostgreSQL configured as the embedded one and a Redis that nobody else uses. Keys are made
// over HTTP, sites too unless they are thousands; whoever wants to pins processes to cores.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { pino } from 'pino';
import { PostgresEventStore } from '../src/event-store/postgres.event-store.js';
import { OPERATORS_MERCHANT } from '../src/modules/auth/merchants/merchant.aggregate.js';
import { CHANCE } from '../src/modules/auth/random-ids.js';
import { createSite, siteStream } from '../src/modules/auth/sites/site.aggregate.js';
import { EmbeddedServer } from '../src/postgres/embedded-server.js';
import { migrate } from '../src/postgres/migrate.js';
import { Telemetry } from '../src/telemetry/telemetry.js';
import { Child } from '../test/crash/child.js';
import { builtApp } from '../test/servers/built-app.js';
import { freePort } from '../test/servers/free-port.js';
import { startRedis, type TestRedis } from '../test/servers/redis.js';
import { startCommand } from './start-command.js';

const OPERATOR_KEY = 'operator-key-of-the-query-benches-0123456789';
export const KEY_PEPPER = 'pepper-of-the-query-benches-0123456789abcdef';
const CLOCK_TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface RoleOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** As taskset takes it. Absent: any. */
  readonly cores?: string;
  /** Of the repository, run before it in its process. */
  readonly program?: string;
}

interface CallOptions {
  readonly key?: string;
  readonly body?: unknown;
  /** Default: POST with a body, else GET. */
  readonly method?: string;
}

/** One process of the product. */
export class RoleProcess {
  /** The operator's. */
  readonly key = OPERATOR_KEY;

  constructor(
    private readonly child: Child,
    readonly port: number,
  ) {}

  get pid(): number {
    return this.child.pid;
  }

  /** Its log so far. */
  get printed(): readonly string[] {
    return this.child.lines;
  }

  call(path: string, { key = OPERATOR_KEY, body, method }: CallOptions = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** @throws Error unless it is answered 2xx. */
  async made<T>(path: string, options: CallOptions): Promise<T> {
    const answer = await this.call(path, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async createSite(domain: string): Promise<string> {
    return (await this.made<{ id: string }>('/v1/sites', { body: { domain } })).id;
  }

  /** Good for all sites. */
  async issueKey(...scopes: readonly string[]): Promise<string> {
    return (await this.made<{ key: string }>('/v1/keys', { body: { name: 'bench', scopes } })).key;
  }

  /** Sum over the samples of one name whose labels contain the text. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await this.call('/metrics')).text();
    const samples = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
    return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  async stop(): Promise<void> {
    await this.child.kill('SIGTERM');
  }
}

export class Product {
  readonly #processes: RoleProcess[] = [];

  private constructor(
    private readonly directory: string,
    private readonly postgres: EmbeddedServer,
    readonly redis: TestRedis,
    readonly pool: Pool,
  ) {}

  static async start(): Promise<Product> {
    const directory = mkdtempSync(join(tmpdir(), 'tidemark-query-bench-'));
    const log = pino({ level: 'silent' });
    const postgres = await EmbeddedServer.start({ dataDirectory: join(directory, 'postgres'), log });
    const pool = new Pool({ connectionString: postgres.url, max: 4 });
    pool.on('error', () => {});
    return new Product(directory, postgres, await startRedis({ own: true }), pool);
  }

  get postgresUrl(): string {
    return this.postgres.url;
  }

  /** Settles once it is ready. All share one data directory, and so one embedded log. */
  async role(role: string, { environment = {}, cores, program }: RoleOptions = {}): Promise<RoleProcess> {
    const port = await freePort();
    const { environment: startEnvironment, nodeFlags } = startCommand();
    const before = program === undefined ? [] : [`--import=${join(await builtApp(), program)}`];
    const child = await Child.start('src/main.js', {
      environment: {
        ROLE: role,
        PORT: String(port),
        DATA_DIR: join(this.directory, 'data'),
        DATABASE_URL: this.postgres.url,
        REDIS_URL: this.redis.url,
        OPERATOR_KEY,
        KEY_PEPPER,
        KEY_REQUESTS_PER_MINUTE_MAX: '10000000',
        SITE_EVENTS_PER_SECOND_MAX: '1000000',
        INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX: '1000000',
        LOG_LEVEL: 'error',
        ...startEnvironment,
        NODE_OPTIONS: [...nodeFlags, ...before].join(' '),
        ...environment,
      },
      wrapper: cores === undefined ? [] : ['taskset', '-c', cores],
    });
    const running = new RoleProcess(child, port);
    this.#processes.push(running);
    while (!(await running.call('/health/ready').catch(() => null))?.ok) {
      if (await Promise.race([child.ended, sleep(50)]))
        throw new Error(child.stderr + child.lines.join('\n'));
    }
    return running;
  }

  /** As their creation over HTTP would, but quicker; for processes that start afterwards. */
  async recordSites(count: number): Promise<string[]> {
    await migrate(this.postgres.url);
    const store = new PostgresEventStore(this.pool, new Telemetry('silent'));
    const rest = { merchant: OPERATORS_MERCHANT, timezone: 'UTC', currency: 'EUR', trackingIds: [] };
    const ids = Array.from({ length: count }, () => CHANCE.newId('s'));
    for (const [index, id] of ids.entries()) {
      const domain = `shop-${index}.example`;
      const events = [createSite(id, { ...rest, domain, name: domain })];
      await store.append(siteStream(id), events, 'none');
    }
    await store.close();
    return ids;
  }

  async stop(): Promise<void> {
    for (const running of this.#processes.toReversed()) await running.stop();
    await this.pool.end();
    await this.postgres.stop();
    await this.redis.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function pin(pid: number, cores: string): void {
  execFileSync('taskset', ['-acp', cores, String(pid)], { stdio: 'ignore' });
}

/** Of all threads. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

export const residentMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;

/** On standard error, so that what is measured is alone on the other. */
export function progress(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
