// The tracking log as a Kafka topic: one record is one batch, and an offset is a position. Durable
// when all in-sync replicas have it; what that is worth is the topic's replication factor and
// min.insync.replicas. No idempotent producer and no transactions: repeats are dropped by event id
// downstream.
import type { EncodedEvent } from './batch-codec.js';
import { KafkaAppender } from './kafka.appender.js';
import { COMPRESSION, kafkaClient } from './kafka.connection.js';
import { KafkaLink } from './kafka.link.js';
import { PartitionReader } from './kafka.partition-reader.js';
import { ReconnectingLink } from './kafka.reconnecting-link.js';
import { type KafkaPurpose, KafkaTelemetry } from './kafka.telemetry.js';
import { prepareTopic } from './kafka.topic.js';
import { LogGate } from './log-gate.js';
import { numberOf } from './position-number.js';
import type { Config } from '../config/config.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import {
  type AppendOutcome,
  type EncodedBatch,
  type Partition,
  type Position,
  type ReadEncodedOptions,
  TrackingLog,
} from './tracking-log.js';
import { TrackingLogTelemetry } from './tracking-log.telemetry.js';

/** A request to Kafka, besides appends; readers try again until they are stopped. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How long a question, such as where a partition ends, may be tried. */
const QUESTION_PATIENCE_MS = 5_000;
/** Of an append's time, for one try: the rest is for another one over new connections. */
const TRY_SHARE = 0.6;
/** At boot kafkajs tries again by itself, one broker of the list after the other: some six seconds. */
const BOOT_RETRY = { retries: 6, initialRetryTime: 200, maxRetryTime: 1_500 };

interface KafkaTrackingLogOptions {
  readonly config: Config;
  readonly telemetry: Telemetry;
}

export class KafkaTrackingLog extends TrackingLog {
  readonly partitions: number;
  readonly #gate: LogGate;
  readonly #kafkaTelemetry: KafkaTelemetry;
  readonly #appender: KafkaAppender;
  readonly #questions: ReconnectingLink;
  readonly #readers = new Set<PartitionReader>();

  private constructor(private readonly options: KafkaTrackingLogOptions) {
    super();
    const { config, telemetry } = options;
    this.partitions = config.TRACKING_LOG_PARTITIONS;
    const logTelemetry = new TrackingLogTelemetry(telemetry.registry);
    this.#gate = new LogGate(this.partitions, logTelemetry);
    this.#kafkaTelemetry = new KafkaTelemetry(telemetry);
    this.#appender = new KafkaAppender({
      partitions: this.partitions,
      open: () => this.#openLink(config.KAFKA_APPEND_TIMEOUT_MS * TRY_SHARE),
      compression: COMPRESSION[config.KAFKA_COMPRESSION],
      timeoutMs: config.KAFKA_APPEND_TIMEOUT_MS,
      telemetry: logTelemetry,
      onFailure: (error) => this.#kafkaTelemetry.failed('append', error),
    });
    this.#questions = this.#reconnectingLink('ask', QUESTION_PATIENCE_MS);
  }

  /** @throws TrackingLogUnusableError, ConfigError */
  static async open(options: KafkaTrackingLogOptions): Promise<KafkaTrackingLog> {
    const { config, telemetry } = options;
    const kafka = kafkaClient(config, telemetry.log, { retry: BOOT_RETRY });
    await prepareTopic(kafka, config, telemetry.log);
    return new KafkaTrackingLog(options);
  }

  override appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    return this.#gate.append(partition, batch, (sized) => this.#appender.append(sized));
  }

  override async *readEncoded(
    partition: Partition,
    after: Position | null,
    { follow, signal }: ReadEncodedOptions,
  ): AsyncGenerator<EncodedBatch, void, undefined> {
    this.#gate.mustRead(partition);
    const offset = after === null ? null : numberOf(after);
    if (signal?.aborted) return;
    const link = this.#reconnectingLink('read', Number.POSITIVE_INFINITY);
    const reader = new PartitionReader(partition, link);
    const stop = (): void => reader.stop();
    signal?.addEventListener('abort', stop);
    this.#readers.add(reader);
    try {
      yield* reader.read({ after: offset, follow });
    } finally {
      this.#readers.delete(reader);
      signal?.removeEventListener('abort', stop);
    }
  }

  override async findByTime(partition: Partition, time: Date): Promise<Position | null> {
    this.#gate.mustRead(partition);
    // The end is asked first: what is appended between the two questions must be read.
    const [first, end] = await this.#bounds(partition);
    const timestampFrom = Math.max(0, time.getTime());
    const found = await this.#questions.ask((link) => link.offset(partition, { timestampFrom }));
    const newestBefore = (found ?? end) - 1;
    return newestBefore < first ? null : String(newestBefore);
  }

  override async end(partition: Partition): Promise<Position | null> {
    this.#gate.mustRead(partition);
    const [first, end] = await this.#bounds(partition);
    return end === first ? null : String(end - 1);
  }

  override compare(a: Position, b: Position): number {
    return numberOf(a) - numberOf(b);
  }

  override async close(): Promise<void> {
    this.#gate.close();
    for (const reader of this.#readers) reader.stop();
    await this.#appender.close();
    this.#questions.stop();
  }

  #bounds(partition: Partition): Promise<[first: number, end: number]> {
    return this.#questions.ask(async (link) => [
      (await link.offset(partition, 'first')) ?? 0,
      (await link.offset(partition, 'end')) ?? 0,
    ]);
  }

  #reconnectingLink(purpose: KafkaPurpose, patienceMs: number): ReconnectingLink {
    return new ReconnectingLink({
      open: () => this.#openLink(REQUEST_TIMEOUT_MS),
      patienceMs,
      onFailure: (error) => this.#kafkaTelemetry.failed(purpose, error),
    });
  }

  #openLink(timeoutMs: number): KafkaLink {
    const { config, telemetry } = this.options;
    return new KafkaLink({
      client: (socketFactory) =>
        kafkaClient(config, telemetry.log, { socketFactory, requestTimeout: timeoutMs }),
      topic: config.KAFKA_TOPIC,
      timeoutMs,
    });
  }
}
