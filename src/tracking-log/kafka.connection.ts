// Where Kafka is and how it is spoken to: brokers, TLS, SASL, compression, log lines. Everything in
// this product that speaks to Kafka gets its client here. The client tries every broker of the list
// once, from a place by chance on; how long to try again knows whoever asks.
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip, gzipSync, type ZlibOptions } from 'node:zlib';
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type SASLOptions } from 'kafkajs';
// @ts-expect-error it declares no types
import snappy from 'kafkajs-snappy';
import type { Logger } from 'pino';
import { type Config, ConfigError } from '../config/config.js';
import { quietIdleConnections } from './kafka.idle-connections.js';

const { CompressionCodecs, CompressionTypes, logLevel } = kafkajs;

const CLIENT_ID = 'tidemark';
const CONNECTION_TIMEOUT_MS = 2_000;
/** An answer that has not come after so long will not come. */
const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_PAUSE_MS = 20;
/** A third of the time of zlib's default, for a tenth more bytes. */
const GZIP_LEVEL = 1;
/** Up to here the way to zlib's threads and back costs more than the work: 160 µs for 4 KiB, against 40. */
const GZIP_HERE_BYTES_MAX = 65_536;
/** The same words from kafkajs, which says them once for every try, are written once in so long. */
const SAME_LINE_INTERVAL_MS = 10_000;

export type KafkaSettings = Pick<
  Config,
  | 'KAFKA_BROKERS'
  | 'KAFKA_TLS'
  | 'KAFKA_TLS_CA'
  | 'KAFKA_SASL_MECHANISM'
  | 'KAFKA_SASL_USERNAME'
  | 'KAFKA_SASL_PASSWORD'
>;

export type KafkaOverrides = Pick<KafkaConfig, 'retry' | 'requestTimeout' | 'socketFactory'>;

export const COMPRESSION = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
} as const satisfies Record<Config['KAFKA_COMPRESSION'], number>;

const compressGzip = promisify<Buffer, ZlibOptions, Buffer>(gzip);
const inflateGzip = promisify<Buffer, Buffer>(gunzip);

/** Of each line, by whom it went through: clients come and go while Kafka is away. */
const saidAtBy = new WeakMap<Logger, Map<string, number>>();

CompressionCodecs[CompressionTypes.Snappy] = snappy as () => unknown;
CompressionCodecs[CompressionTypes.GZIP] = () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) =>
    buffer.length <= GZIP_HERE_BYTES_MAX
      ? gzipSync(buffer, { level: GZIP_LEVEL })
      : compressGzip(buffer, { level: GZIP_LEVEL }),
  decompress: (buffer: Buffer) =>
    buffer.length <= GZIP_HERE_BYTES_MAX ? gunzipSync(buffer) : inflateGzip(buffer),
});
quietIdleConnections();

/** Connects to nothing yet. @throws ConfigError */
export function kafkaClient(settings: KafkaSettings, log: Logger, overrides: KafkaOverrides = {}): Kafka {
  const sasl = saslOptions(settings);
  const brokers = fromSomewhereOn(
    settings.KAFKA_BROKERS ?? missing('KAFKA_BROKERS', 'TRACKING_LOG is kafka'),
  );
  return new kafkajs.Kafka({
    clientId: CLIENT_ID,
    brokers,
    ssl: settings.KAFKA_TLS === 'on' && (settings.KAFKA_TLS_CA ? { ca: settings.KAFKA_TLS_CA } : true),
    ...(sasl && { sasl }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: brokers.length - 1, initialRetryTime: RETRY_PAUSE_MS },
    logLevel: logLevel.INFO,
    logCreator: () => logLines(log),
    ...overrides,
  });
}

function fromSomewhereOn<T>(list: readonly T[]): T[] {
  const start = randomInt(list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

function saslOptions(settings: KafkaSettings): SASLOptions | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism } = settings;
  if (mechanism === undefined) return undefined;
  const why = 'KAFKA_SASL_MECHANISM is';
  const username = settings.KAFKA_SASL_USERNAME ?? missing('KAFKA_SASL_USERNAME', why);
  const password = settings.KAFKA_SASL_PASSWORD ?? missing('KAFKA_SASL_PASSWORD', why);
  return { mechanism, username, password };
}

function missing(name: string, why: string): never {
  throw new ConfigError([`${name}: must be given, as ${why}`]);
}

/**
 * One level lower than kafkajs says it: it calls everything an error that it, or we, then try again
 * with success. What is an error to Tidemark, Tidemark says itself.
 */
function logLines(log: Logger): (entry: LogEntry) => void {
  const saidAt = saidAtBy.get(log) ?? new Map<string, number>();
  saidAtBy.set(log, saidAt);
  return ({ level, namespace, log: { message, broker } }) => {
    const method = level === logLevel.ERROR ? 'warn' : level === logLevel.WARN ? 'info' : 'debug';
    const now = Date.now();
    if (now - (saidAt.get(message) ?? 0) < SAME_LINE_INTERVAL_MS) return;
    if (saidAt.size > 100) saidAt.clear();
    saidAt.set(message, now);
    log[method]({ from: namespace, broker: broker as unknown }, `kafkajs: ${message}`);
  };
}
