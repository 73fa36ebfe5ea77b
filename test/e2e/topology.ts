// The product as it is deployed, in plain processes: two of each role with data directories of their
// own, sharing Kafka, Redis and PostgreSQL, behind HAProxy with the configuration of deployments.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '../../src/config/config.js';
import { Child } from '../crash/child.js';
import { freePort } from '../servers/free-port.js';
import { startHaproxy, type TestHaproxy } from '../servers/haproxy.js';
import { type KafkaOptions, startKafka, type TestKafka } from '../servers/kafka.js';
import { startPostgres, type TestPostgres } from '../servers/postgres.js';
import { startRedis, type TestRedis } from '../servers/redis.js';

export const OPERATOR_KEY = 'operator-key-of-the-topology-0123456789';
const KEY_PEPPER = 'pepper-that-every-node-of-the-topology-has';
const BOOT_TIMEOUT_MS = 180_000;
/** Until the balancer sends requests again to a process that came back. */
const BALANCER_NOTICES_MS = 1_500;

/** One process of the product that may be ended and started again on its port. */
export class Node {
  #child: Child | undefined;

  constructor(
    readonly name: string,
    private readonly environment: Readonly<Record<string, string>> & { readonly PORT: string },
  ) {}

  get pid(): number {
    return this.#child!.pid;
  }

  /** What it has logged since it was last started. */
  get lines(): readonly string[] {
    return this.#child!.lines;
  }

  get address(): string {
    return `127.0.0.1:${this.environment.PORT}`;
  }

  /** Settles once it is ready. */
  async start(): Promise<void> {
    const child = await Child.start('src/main.js', { environment: this.environment });
    this.#child = child;
    const deadline = Date.now() + BOOT_TIMEOUT_MS;
    for (;;) {
      const ended = await Promise.race([child.ended, sleep(50)]);
      const ready = await fetch(`http://${this.address}/health/ready`).catch(() => null);
      if (ready?.ok) return;
      if (ended) throw new Error(`${this.name} ended at boot:\n${child.stderr}${child.lines.join('\n')}`);
      if (Date.now() < deadline) continue;
      throw new Error(`${this.name} is not ready: ${await ready?.text()}\n${child.lines.join('\n')}`);
    }
  }

  /** In good order, or with -9. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<{ code: number | null }> {
    await this.#child?.kill(signal);
    return (await this.#child?.ended) ?? { code: null };
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://${this.address}/metrics`)).text();
  }
}

export class Topology {
  private constructor(
    private readonly directory: string,
    private readonly services: { stop(): Promise<void> }[],
    readonly kafka: TestKafka,
    readonly nodes: readonly Node[],
    readonly url: string,
  ) {}

  static async start({ brokers = 1 }: Pick<KafkaOptions, 'brokers'> = {}): Promise<Topology> {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-topology-'));
    const [kafka, redis, postgres] = await Promise.all([
      startKafka({ own: true, brokers }),
      startRedis({ own: true }),
      startPostgres(),
    ]);
    const services: { stop(): Promise<void> }[] = [kafka, redis, postgres];
    const nodes: Node[] = [];
    for (const role of ['ingest', 'projector', 'api'] as const) {
      for (const number of [1, 2]) {
        nodes.push(await plan({ role, number, directory, services: { kafka, redis, postgres } }));
      }
    }
    const haproxy = await balancer(nodes);
    const topology = new Topology(directory, [haproxy, ...services], kafka, nodes, haproxy.url);
    const starting = await Promise.allSettled(nodes.map((node) => node.start()));
    const failed = starting.find((result) => result.status === 'rejected');
    if (failed) {
      await topology.stop();
      throw failed.reason;
    }
    await sleep(BALANCER_NOTICES_MS);
    return topology;
  }

  of(role: Role): readonly Node[] {
    return this.nodes.filter(({ name }) => name.startsWith(role));
  }

  /** In good order, and settles when the balancer counts on it again. */
  async restart(node: Node): Promise<void> {
    const { code } = await node.end('SIGTERM');
    if (code !== 0) throw new Error(`${node.name} ended with ${code}`);
    await node.start();
    await sleep(BALANCER_NOTICES_MS);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGTERM')));
    await Promise.all(this.services.map((service) => service.stop()));
    await rm(this.directory, { recursive: true });
  }
}

interface NodePlan {
  readonly role: Role;
  readonly number: number;
  readonly directory: string;
  readonly services: {
    readonly kafka: TestKafka;
    readonly redis: TestRedis;
    readonly postgres: TestPostgres;
  };
}

async function plan({ role, number, directory, services }: NodePlan): Promise<Node> {
  const name = `${role}-${number}`;
  return new Node(name, {
    ROLE: role,
    PORT: String(await freePort()),
    DATA_DIR: join(directory, name),
    DATABASE_URL: services.postgres.url,
    TRACKING_LOG: 'kafka',
    KAFKA_BROKERS: services.kafka.brokers.join(','),
    TRACKING_LOG_PARTITIONS: '4',
    REDIS_URL: services.redis.url,
    OPERATOR_KEY,
    KEY_PEPPER,
    TRUST_PROXY: '1',
    SHUTDOWN_DELAY_MS: '3000',
    SHUTDOWN_TIMEOUT_MS: '60000',
    LOG_LEVEL: 'warn',
  });
}

function balancer(nodes: readonly Node[]): Promise<TestHaproxy> {
  const addresses = nodes.map(({ name, address }) => [name.toUpperCase().replace('-', '_'), address]);
  return startHaproxy(Object.fromEntries(addresses) as Record<string, string>);
}
