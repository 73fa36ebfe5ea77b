// A real Kafka for whoever asks. One broker that nobody may kill is shared by the whole Jest run: the
// first to ask starts it, the others adopt it, jest-teardown.js removes it; its users give their topics
// names of their own. Whoever wants to kill, to have three or to stand between gets a cluster of his own.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { startContainer } from './docker.js';
import { freePort } from './free-port.js';
import {
  type BrokerPorts,
  brokerProperties,
  type GuardedListener,
  scramArguments,
} from './kafka-properties.js';
import { findKafka, type KafkaSource } from './kafka-source.js';
import { runDirectory, serverDirectory } from './run-directory.js';
import { accepts, type ServerProcess, startServer } from './server-process.js';

export interface TestKafka {
  /** As clients are given them: `127.0.0.1:port`. */
  readonly brokers: string[];
  /** One for each broker, in the same order; none when the broker is shared or given. */
  readonly nodes: readonly ServerProcess[];
  stop(): Promise<void>;
}

export interface KafkaOptions {
  /** Three replicate everything among each other and acknowledge what two of them have. */
  readonly brokers?: 1 | 3;
  /** To be killed, or otherwise not to be shared. */
  readonly own?: boolean;
  /** Of each broker. */
  readonly ports?: readonly number[];
  /** What brokers tell clients instead of `ports`: those of proxies, which must forward to `ports`. */
  readonly advertisedPorts?: readonly number[];
  /** Of one broker; its other listener asks for nothing. */
  readonly guarded?: GuardedListener;
}

const SHARED_TIMEOUT_MS = 240_000;
const SHARED_POLL_MS = 100;
const HEAP = '384m';

export async function startKafka(options: KafkaOptions = {}): Promise<TestKafka> {
  const { brokers = 1, own = false } = options;
  const source = findKafka(own || brokers > 1 ? 'own' : 'any');
  if (source.source === 'none') throw new Error(`There is no Kafka for tests: ${source.why}`);
  if (source.source === 'given') return { brokers: source.brokers, nodes: [], stop: async () => {} };
  const run = runDirectory();
  if (!own && brokers === 1 && run !== undefined) return adoptShared(join(run, 'kafka'), source);
  const directory = serverDirectory('kafka');
  const cluster = await startCluster(directory, { source, options });
  return {
    ...cluster,
    async stop() {
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      await rm(directory, { recursive: true });
    },
  };
}

type Startable = Extract<KafkaSource, { source: 'jars' | 'docker' }>;
type Cluster = Pick<TestKafka, 'brokers' | 'nodes'>;

/** What the one who started the shared broker tells the others. */
type SharedNote = { readonly brokers: string[] } | { readonly failure: string };

async function adoptShared(directory: string, source: Startable): Promise<TestKafka> {
  const path = join(directory, 'shared.json');
  if (await isFirst(directory)) {
    const note = await startCluster(directory, { source, options: {} }).then(
      ({ brokers }): SharedNote => ({ brokers }),
      (error: unknown): SharedNote => ({ failure: String(error) }),
    );
    await writeFile(`${path}.unfinished`, JSON.stringify(note));
    await rename(`${path}.unfinished`, path);
  }
  const note = await readShared(path);
  if ('failure' in note) throw new Error(`The shared Kafka did not start: ${note.failure}`);
  return { brokers: note.brokers, nodes: [], stop: async () => {} };
}

async function isFirst(directory: string): Promise<boolean> {
  try {
    await mkdir(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readShared(path: string): Promise<SharedNote> {
  for (let waitedMs = 0; waitedMs < SHARED_TIMEOUT_MS; waitedMs += SHARED_POLL_MS) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return JSON.parse(text) as SharedNote;
    await delay(SHARED_POLL_MS);
  }
  throw new Error(`Nobody finished starting the shared Kafka within ${SHARED_TIMEOUT_MS} ms`);
}

async function startCluster(
  directory: string,
  { source, options }: { source: Startable; options: KafkaOptions },
): Promise<Cluster> {
  const ports: BrokerPorts[] = [];
  for (let index = 0; index < (options.brokers ?? 1); index++) {
    const client = options.ports?.[index] ?? (await freePort());
    const advertised = options.advertisedPorts?.[index] ?? client;
    ports.push({ client, advertised, internal: await freePort(), controller: await freePort() });
  }
  const clusterId = randomBytes(16).toString('base64url');
  const starting = await Promise.allSettled(
    ports.map((_, index) =>
      startBroker(join(directory, `broker-${index}`), {
        source,
        clusterId,
        ports,
        index,
        guarded: options.guarded,
      }),
    ),
  );
  const nodes = starting.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  const failed = starting.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(nodes.map((node) => node.kill()));
    throw failed.reason;
  }
  return { brokers: ports.map(({ advertised }) => `127.0.0.1:${advertised}`), nodes };
}

interface BrokerPlace {
  readonly source: Startable;
  readonly clusterId: string;
  readonly ports: readonly BrokerPorts[];
  readonly index: number;
  readonly guarded: GuardedListener | undefined;
}

async function startBroker(
  directory: string,
  { source, clusterId, ports, index, guarded }: BrokerPlace,
): Promise<ServerProcess> {
  await mkdir(directory);
  const properties = join(directory, 'server.properties');
  await writeFile(properties, brokerProperties({ directory, ports, index, guarded }));
  const users = guarded ? scramArguments(guarded) : [];
  const answers = () => isInCluster(ports[index]!, index + 1);
  if (source.source === 'docker') {
    const format = `/opt/kafka/bin/kafka-storage.sh format -g --cluster-id=${clusterId} -c ${properties} ${users.join(' ')}`;
    const serve = `KAFKA_HEAP_OPTS=-Xmx${HEAP} exec /opt/kafka/bin/kafka-server-start.sh ${properties}`;
    return startContainer({ image: source.image, script: `${format}; ${serve}`, directory, answers });
  }
  const java = ['-cp', join(source.directory, '*'), '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  await run(source.java, [
    ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...java, 'kafka.tools.StorageTool'],
    ...['format', `--cluster-id=${clusterId}`, '-c', properties, ...users],
  ]);
  const args = [`-Xmx${HEAP}`, ...java, 'kafka.Kafka', properties];
  return startServer({ command: source.java, args, directory, answers });
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/** Listening is not enough: what a broker answers before the others know it is of no use. */
async function isInCluster({ client, advertised }: BrokerPorts, nodeId: number): Promise<boolean> {
  if (!(await accepts(client))) return false;
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${advertised}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.some((broker) => broker.nodeId === nodeId);
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
