// Before the log is used: the topic exists and is such that the log's promises hold, or the boot ends
// with a line that says what is wrong. Makes the topic where it is absent.
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { within } from '../waiting/within.js';
import { BATCH_BYTES_MAX, TrackingLogUnreachableError, TrackingLogUnusableError } from './tracking-log.js';

const { ConfigResourceTypes } = kafkajs;

const PATIENCE_MS = 15_000;
/** A broker hears a little later of a topic that another has just made, and of who leads it. */
const HEARSAY_MS = 200;
const NOT_YET_HEARD: ReadonlySet<string | undefined> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
]);
/** Compression may make what cannot be compressed a sixth larger. */
const MESSAGE_BYTES_MAX = Math.ceil(BATCH_BYTES_MAX * 1.25);
const MS_PER_DAY = 86_400_000;
const REPLICAS = 3;
/** Of a connection; what else goes wrong with one is a matter of TLS, and of the settings. */
const NETWORK_FAILURES = /^E(CONN|HOST|NET|TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN)/;

export type TopicSettings = Pick<
  Config,
  | 'KAFKA_BROKERS'
  | 'KAFKA_TOPIC'
  | 'KAFKA_REPLICATION_FACTOR'
  | 'KAFKA_RETENTION_DAYS'
  | 'TRACKING_LOG_PARTITIONS'
>;

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly retriable = true;
}

/** What kafkajs says of an error, in its own and in those that Kafka answers. */
interface KafkaError extends Error {
  readonly retriable?: boolean;
  readonly code?: unknown;
  /** Of an error that Kafka answered. */
  readonly type?: string;
  readonly errors?: readonly KafkaError[];
}

/**
 * The client should try again by itself for some seconds.
 * @throws TrackingLogUnusableError, and as TrackingLogUnreachableError what time may mend
 */
export async function prepareTopic(kafka: Kafka, settings: TopicSettings, log: Logger): Promise<void> {
  const admin = kafka.admin();
  const tooLate = new AbortController();
  try {
    const prepared = prepare(admin, settings, { log, tooLate: tooLate.signal }).then(() => true);
    const isInTime = await within(PATIENCE_MS, prepared);
    if (!isInTime) throw new NoAnswerError(`no answer within ${PATIENCE_MS / 1_000} s`);
  } catch (error) {
    if (error instanceof TrackingLogUnusableError) throw error;
    const cause = causeOf(error);
    const Refusal = isPassing(cause) ? TrackingLogUnreachableError : TrackingLogUnusableError;
    throw new Refusal(explain(cause, settings), { cause: error });
  } finally {
    tooLate.abort();
    void admin.disconnect().catch(() => undefined);
  }
}

interface Preparing {
  readonly log: Logger;
  readonly tooLate: AbortSignal;
}

async function prepare(admin: Admin, settings: TopicSettings, { log, tooLate }: Preparing): Promise<void> {
  const { KAFKA_TOPIC: topic } = settings;
  await admin.connect();
  const topics = await admin.listTopics();
  if (!topics.includes(topic)) await createTopic(admin, settings, log);
  const problems = await problemsOnceKnown(admin, settings, tooLate);
  if (problems.length > 0) throw new TrackingLogUnusableError(problems.join('\n'));
}

async function problemsOnceKnown(
  admin: Admin,
  settings: TopicSettings,
  tooLate: AbortSignal,
): Promise<readonly string[]> {
  for (;;) {
    try {
      return [
        ...(await partitionProblems(admin, settings)),
        ...(await configProblems(admin, settings.KAFKA_TOPIC)),
      ];
    } catch (error) {
      if (tooLate.aborted || !NOT_YET_HEARD.has(causeOf(error).type)) throw error;
      await sleep(HEARSAY_MS);
    }
  }
}

async function createTopic(admin: Admin, settings: TopicSettings, log: Logger): Promise<void> {
  const { brokers } = await admin.describeCluster();
  const replicationFactor = settings.KAFKA_REPLICATION_FACTOR ?? (brokers.length < REPLICAS ? 1 : REPLICAS);
  const topic = topicConfig(settings, replicationFactor);
  // False where another process was faster.
  const isNew = await admin.createTopics({
    topics: [topic],
    timeout: PATIENCE_MS,
    // kafkajs gives up where the broker it asks has not heard of the topic; problemsOnceKnown waits.
    waitForLeaders: false,
  });
  if (!isNew) return;
  log.info(
    { topic: topic.topic, partitions: topic.numPartitions, replicationFactor, config: topic.configEntries },
    'Made the Kafka topic of the tracking log',
  );
  if (replicationFactor === 1) {
    log.warn('The Kafka topic has one copy: a broker that loses its disk, or its power, loses events');
  }
}

function topicConfig(settings: TopicSettings, replicationFactor: number): ITopicConfig {
  const { KAFKA_RETENTION_DAYS: days } = settings;
  const config = {
    'cleanup.policy': 'delete',
    'retention.ms': days === undefined ? -1 : days * MS_PER_DAY,
    'retention.bytes': -1,
    'min.insync.replicas': Math.min(2, replicationFactor),
    'max.message.bytes': MESSAGE_BYTES_MAX,
    'message.timestamp.type': 'CreateTime',
    'unclean.leader.election.enable': false,
  };
  return {
    topic: settings.KAFKA_TOPIC,
    numPartitions: settings.TRACKING_LOG_PARTITIONS,
    replicationFactor,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value: String(value) })),
  };
}

async function partitionProblems(admin: Admin, settings: TopicSettings): Promise<string[]> {
  const { KAFKA_TOPIC: topic, TRACKING_LOG_PARTITIONS: wanted } = settings;
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const found = topics[0]!.partitions.length;
  if (found === wanted) return [];
  return [
    `The Kafka topic ${topic} has ${found} partitions and TRACKING_LOG_PARTITIONS is ${wanted}: ` +
      `the number is fixed once the log exists. Set it to ${found}.`,
  ];
}

async function configProblems(admin: Admin, topic: string): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  return topicConfigProblems(
    topic,
    new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
  );
}

/** What a topic made by somebody else must have. */
function topicConfigProblems(topic: string, config: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const refuse = (name: string, rule: string, why: string): void => {
    problems.push(`The Kafka topic ${topic} has ${name}=${config.get(name)}; it must be ${rule}: ${why}.`);
  };
  if (config.get('cleanup.policy') !== 'delete') {
    refuse('cleanup.policy', 'delete', 'compaction would remove events');
  }
  if (config.get('message.timestamp.type') !== 'CreateTime') {
    refuse('message.timestamp.type', 'CreateTime', 'by it events are found by the time of their receipt');
  }
  if (Number(config.get('max.message.bytes')) < MESSAGE_BYTES_MAX) {
    refuse('max.message.bytes', `at least ${MESSAGE_BYTES_MAX}`, 'a batch may be so large');
  }
  return problems;
}

/** kafkajs wraps what Kafka said, several times. */
function causeOf(error: unknown): KafkaError {
  let cause = error as KafkaError;
  while (cause.cause instanceof Error) cause = cause.cause;
  return cause;
}

/** Kafka is away, starting, or electing. */
function isPassing(error: KafkaError): boolean {
  if (error.errors !== undefined) return error.errors.every(isPassing);
  const { retriable, code } = error;
  return retriable === true && (typeof code !== 'string' || NETWORK_FAILURES.test(code));
}

function explain(cause: KafkaError, { KAFKA_BROKERS, KAFKA_TOPIC }: TopicSettings): string {
  const said = cause.errors?.map(({ message }) => message).join('; ') ?? cause.message;
  const at = KAFKA_BROKERS?.join(', ');
  if (cause.name === 'KafkaJSSASLAuthenticationError') {
    return `Kafka at ${at} refuses the credentials (${said}): check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.`;
  }
  if (cause.errors)
    return `The Kafka topic ${KAFKA_TOPIC} cannot be made (${said}): check KAFKA_REPLICATION_FACTOR.`;
  return `Kafka at ${at} cannot be used (${said}): check KAFKA_BROKERS and the KAFKA_TLS and KAFKA_SASL settings.`;
}
