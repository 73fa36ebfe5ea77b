// The product as one process on a database of its own, as an operator runs and asks it: started, killed,
// started again on the same data.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../crash/child.js';
import { freePort } from '../servers/free-port.js';
import { type OwnPostgres, startOwnPostgres } from '../servers/own-postgres.js';

export const OPERATOR_KEY = 'operator-key-of-the-rebuild-tests-0123456789';

export interface RebuildSaid {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly events: number;
  readonly eventsExpected: number;
  readonly error?: string;
}

type Environment = Readonly<Record<string, string>>;

interface Props {
  readonly postgres: OwnPostgres;
  readonly directory: string;
  readonly port: number;
  readonly environment: Environment;
}

export class OperatedProduct {
  readonly postgres: OwnPostgres;
  readonly directory: string;
  readonly url: string;
  #child!: Child;

  private constructor(private readonly props: Props) {
    this.postgres = props.postgres;
    this.directory = props.directory;
    this.url = `http://127.0.0.1:${props.port}`;
  }

  static async start(environment: Environment): Promise<OperatedProduct> {
    const postgres = await startOwnPostgres();
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-operated-'));
    const product = new OperatedProduct({ postgres, directory, port: await freePort(), environment });
    await product.startAgain();
    return product;
  }

  async startAgain(environment: Environment = {}): Promise<void> {
    this.#child = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: this.directory,
        DATABASE_URL: this.postgres.url,
        PORT: new URL(this.url).port,
        OPERATOR_KEY,
        LOG_LEVEL: 'warn',
        PROJECTOR_FLUSH_INTERVAL_MS: '100',
        ...this.props.environment,
        ...environment,
      },
    });
    while ((await fetch(`${this.url}/health/ready`).catch(() => null))?.ok !== true) {
      if (await Promise.race([this.#child.ended, sleep(50)])) throw new Error(this.#child.stderr);
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What the process has logged since it was last started. */
  get lines(): readonly string[] {
    return this.#child.lines;
  }

  /** Settles when the process that was last started has ended, whatever ended it. */
  get ended(): Promise<unknown> {
    return this.#child.ended;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    await this.postgres.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  call(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${OPERATOR_KEY}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** @throws Error for any answer but a good one */
  async said<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.call(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  rebuild(body?: unknown): Promise<RebuildSaid> {
    return this.said('POST', '/admin/v1/projections/sessions/rebuilds', body);
  }

  /** No longer under way. */
  async rebuildEnded(id: string): Promise<RebuildSaid> {
    for (;;) {
      const rebuild = await this.said<RebuildSaid>('GET', `/admin/v1/rebuilds/${id}`);
      if (!['requested', 'running', 'paused'].includes(rebuild.state)) return rebuild;
      await sleep(100);
    }
  }

  promote(version: number): Promise<{ readonly servingVersion: number }> {
    return this.said('POST', '/admin/v1/projections/sessions/promote', { version });
  }

  /** Everything that was sent is in every version that is kept. */
  async quiet(): Promise<void> {
    const since = new Date();
    for (;;) {
      const { rows } = await this.postgres.pool.query<{ behind: string }>(
        `SELECT count(*) AS behind FROM checkpoints JOIN log_ends USING (partition)
         WHERE checkpoints.position IS DISTINCT FROM log_ends.position
            OR checkpoints.watermark < $1 OR checkpoints.watermark IS NULL`,
        [since],
      );
      if (rows[0]!.behind === '0') return;
      await sleep(100);
    }
  }
}
