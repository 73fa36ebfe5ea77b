// What each driver of the tracking log adds to the bare client or library under it, for the same bytes,
// grouped and acknowledged in the same way: LMDB, Kafka where there is one, and EventStoreDB's client before
// a protocol double. What LMDB's sync costs; and how fast a batch is read back. --events=100000 a turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANY, binaryEvent } from '@eventstore/db-client';
import { open, type RootDatabase } from 'lmdb';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type Config, readConfig } from '../src/config/config.js';
import { EventStoreDbConnection } from '../src/event-store/eventstoredb.connection.js';
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { decodeBatch, encodeBatch, encodedBytes, encodeEvent } from '../src/tracking-log/batch-codec.js';
import { Telemetry } from '../src/telemetry/telemetry.js';
import { EmbeddedTrackingLog } from '../src/tracking-log/embedded.tracking-log.js';
import { EventStoreDbTrackingLog } from '../src/tracking-log/eventstoredb.tracking-log.js';
import { COMPRESSION, kafkaClient } from '../src/tracking-log/kafka.connection.js';
import { KafkaTrackingLog } from '../src/tracking-log/kafka.tracking-log.js';
import type { Partition, TrackingLog } from '../src/tracking-log/tracking-log.js';
import { TrackingLogTelemetry } from '../src/tracking-log/tracking-log.telemetry.js';
import { startEventStoreDbDouble } from '../test/doubles/eventstoredb.js';
import { startKafka } from '../test/servers/kafka.js';
import { findKafka } from '../test/servers/kafka-source.js';
import { type BenchmarkResult, type Contender, measure, report, seconds } from './measure.js';

const EVENTS = Number(process.argv.find((argument) => argument.startsWith('--events='))?.slice(9) ?? 100_000);
const PARTITIONS = 4;
/** Batches appended together: one transaction for each contender. */
const GROUP = 64;
const ROUNDS = 7;

function event(index: number): TrackedEvent {
  const receivedAt = 1_793_786_400_000 + index;
  const base: TrackedEvent = {
    id: `0190a7c4-8f1e-7c3a-9d2b-${String(index).padStart(12, '0')}`,
    site: '0190a7c4-6b1e',
    name: 'pageview',
    occurredAt: receivedAt - 12,
    receivedAt,
    visitor: (index * 2_654_435_761).toString(16).padStart(16, '0'),
    url: `https://shop.example/products/${index % 977}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0',
  };
  return index % 3 === 0
    ? { ...base, referrer: 'https://www.search.example/', place: { country: 'AT' } }
    : base;
}

async function inFreshDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function inGroups(batches: number, append: (index: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < batches; start += GROUP) {
    const size = Math.min(GROUP, batches - start);
    await Promise.all(Array.from({ length: size }, (_, offset) => append(start + offset)));
  }
}

interface RawLmdb {
  readonly batches: number;
  readonly bytesOf: (index: number) => Buffer;
  readonly options: object;
}

function rawLmdb(name: string, { batches, bytesOf, options }: RawLmdb): Contender {
  return {
    name,
    run: () =>
      inFreshDirectory(async (directory) => {
        const db: RootDatabase<Buffer> = open({
          path: directory,
          encoding: 'binary',
          mapSize: 2 ** 31,
          ...options,
        });
        const time = await seconds(() =>
          inGroups(batches, (index) =>
            db.put([index % PARTITIONS, Math.floor(index / PARTITIONS)], bytesOf(index)),
          ),
        );
        await db.close();
        return { amount: EVENTS, seconds: time };
      }),
  };
}

function trackingLog(
  name: string,
  append: (log: EmbeddedTrackingLog, index: number) => Promise<unknown>,
  batches: number,
): Contender {
  return {
    name,
    run: () =>
      inFreshDirectory(async (directory) => {
        const log = new EmbeddedTrackingLog({
          directory,
          partitions: PARTITIONS,
          bytesMax: 2 ** 30,
          telemetry: new TrackingLogTelemetry(new Registry()),
          onDiskFailure: (error) => {
            throw error;
          },
        });
        const time = await seconds(() => inGroups(batches, (index) => append(log, index)));
        await log.close();
        return { amount: EVENTS, seconds: time };
      }),
  };
}

/** The same events three times: as they are, as the log takes them, and as it stores them. */
function makeBatches(eventsPerBatch: number) {
  const batches = Array.from({ length: EVENTS / eventsPerBatch }, (_, batch) =>
    Array.from({ length: eventsPerBatch }, (__, index) => event(batch * eventsPerBatch + index)),
  );
  const encoded = batches.map((batch) => batch.map(encodeEvent));
  const bytes = encoded.map((batch) => encodeBatch(batch, 0, Buffer.allocUnsafeSlow(encodedBytes(batch))));
  const size = `${eventsPerBatch} events per batch, ${Math.round(bytes[0]!.length / eventsPerBatch)} bytes per event`;
  return { batches, encoded, bytes, count: batches.length, size };
}

async function appending(eventsPerBatch: number): Promise<BenchmarkResult> {
  const { batches, encoded, bytes, count, size } = makeBatches(eventsPerBatch);
  const ours = 'tracking log, events already encoded';
  const raw = 'lmdb, visible once durable';
  const framing = 'lmdb, each batch first put together';
  const ready = { batches: count, bytesOf: (index: number) => bytes[index]! };
  const framed = (index: number): Buffer =>
    encodeBatch(encoded[index]!, 0, Buffer.allocUnsafe(encodedBytes(encoded[index]!)));
  return measure({
    name: `durable append, ${size}`,
    unit: 'events',
    rounds: ROUNDS,
    contenders: [
      trackingLog(ours, (log, index) => log.appendEncoded(index % PARTITIONS, encoded[index]!), count),
      rawLmdb(raw, { ...ready, options: { overlappingSync: false } }),
      rawLmdb(framing, { ...ready, bytesOf: framed, options: { overlappingSync: false } }),
      rawLmdb('lmdb, visible before durable (its default)', { ...ready, options: {} }),
      rawLmdb('lmdb, never synced', { ...ready, options: { overlappingSync: false, noSync: true } }),
      trackingLog(
        'tracking log, encoding included',
        (log, index) => log.append(index % PARTITIONS, batches[index]!),
        count,
      ),
    ],
    ratios: [
      { of: ours, over: raw, atLeast: 0.85 },
      { of: ours, over: framing },
      { of: ours, over: 'lmdb, visible before durable (its default)' },
      { of: raw, over: 'lmdb, never synced' },
    ],
  });
}

interface Remote {
  /** Of both, with how it is set up. */
  readonly name: string;
  readonly log: TrackingLog;
  readonly client: string;
  /** Makes one group of batches durable, in as few requests as can be. */
  readonly sendGroup: (group: readonly (readonly [Partition, Buffer])[]) => Promise<unknown>;
}

/** The same bytes, grouped alike, through a driver and through the client that it is made of. */
async function appendingTo(
  { name, log, client, sendGroup }: Remote,
  eventsPerBatch: number,
): Promise<BenchmarkResult> {
  const { encoded, bytes, count, size } = makeBatches(eventsPerBatch);
  const groups = Array.from({ length: Math.ceil(count / GROUP) }, (_, group) =>
    bytes
      .slice(group * GROUP, (group + 1) * GROUP)
      .map((batch, offset) => [(group * GROUP + offset) % PARTITIONS, batch] as const),
  );
  const append = async (index: number): Promise<void> => {
    const { outcome } = await log.appendEncoded(index % PARTITIONS, encoded[index]!);
    if (outcome !== 'appended') throw new Error(`The log answered ${outcome}`);
  };
  const ours = 'tracking log, events already encoded';
  return measure({
    name: `append to ${name}, ${size}`,
    unit: 'events',
    rounds: ROUNDS,
    contenders: [
      {
        name: ours,
        run: async () => ({ amount: EVENTS, seconds: await seconds(() => inGroups(count, append)) }),
      },
      {
        name: client,
        run: async () => ({
          amount: EVENTS,
          seconds: await seconds(async () => {
            for (const group of groups) await sendGroup(group);
          }),
        }),
      },
    ],
    ratios: [{ of: ours, over: client, atLeast: 0.85 }],
  });
}

async function onKafka(): Promise<BenchmarkResult[]> {
  const source = findKafka('any');
  if (source.source === 'none') {
    process.stderr.write(`Not measured: Kafka (${source.why})\n`);
    return [];
  }
  const kafka = await startKafka({ own: source.source !== 'given' });
  const topic = `append-bench-${process.pid}`;
  const configOf = (suffix: string): Config =>
    readConfig({
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC: `${topic}-${suffix}`,
      TRACKING_LOG_PARTITIONS: String(PARTITIONS),
    });
  const config = configOf('client');
  const telemetry = () => new Telemetry('silent');
  const log = await KafkaTrackingLog.open({ config: configOf('driver'), telemetry: telemetry() });
  // Makes the topic of the other.
  await (await KafkaTrackingLog.open({ config, telemetry: telemetry() })).close();
  const producer = kafkaClient(config, pino({ level: 'silent' })).producer({ retry: { retries: 5 } });
  await producer.connect();
  const remote: Remote = {
    name: `Kafka (one broker on this machine, acks=all, ${config.KAFKA_COMPRESSION})`,
    log,
    client: 'kafkajs producer',
    sendGroup: (group) =>
      producer.send({
        topic: config.KAFKA_TOPIC,
        acks: -1,
        compression: COMPRESSION[config.KAFKA_COMPRESSION],
        messages: group.map(([partition, value]) => ({ partition, value })),
      }),
  };
  try {
    return [await appendingTo(remote, 25), await appendingTo(remote, 200)];
  } finally {
    await producer.disconnect();
    await log.close();
    await kafka.stop();
  }
}

/** Not a server: what is compared is what we add to the client, on either side of the same double. */
async function onEventStoreDbDouble(): Promise<BenchmarkResult[]> {
  const double = await startEventStoreDbDouble({ keeps: 'memory' });
  const config = readConfig({
    EVENTSTORE_URL: double.url,
    TRACKING_LOG_PARTITIONS: String(PARTITIONS),
    EVENTSTORE_TIMEOUT_MS: '10000',
  });
  const log = await EventStoreDbTrackingLog.open({ config, telemetry: new Telemetry('silent') });
  const { client, appendOptions } = await EventStoreDbConnection.open(config);
  const remote: Remote = {
    name: 'a protocol double of EventStoreDB, in memory',
    log,
    client: '@eventstore/db-client',
    sendGroup: (group) =>
      Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) => {
          const events = group
            .filter(([of]) => of === partition)
            .map(([, data]) => binaryEvent({ type: 'batch', data }));
          return client.appendToStream(`client-${partition}`, events, {
            ...appendOptions,
            expectedRevision: ANY,
          });
        }),
      ),
  };
  try {
    return [await appendingTo(remote, 25), await appendingTo(remote, 200)];
  } finally {
    await log.close();
    await double.stop();
  }
}

async function reading(eventsPerBatch: number): Promise<BenchmarkResult> {
  const events = Array.from({ length: eventsPerBatch }, (_, index) => event(index));
  const bytes = encodeBatch(events.map(encodeEvent), 0, Buffer.alloc(1_000_000));
  const turns = EVENTS / eventsPerBatch;
  const json = bytes.subarray(16, -4);
  return inFreshDirectory(async (directory) => {
    const log = new EmbeddedTrackingLog({
      directory,
      partitions: 1,
      bytesMax: 2 ** 30,
      telemetry: new TrackingLogTelemetry(new Registry()),
      onDiskFailure: (error) => {
        throw error;
      },
    });
    await inGroups(turns, () => log.append(0, events));
    const repeated = (work: () => unknown) => async () => {
      for (let turn = 0; turn < turns; turn++) work();
    };
    const result = await measure({
      name: `reading, ${eventsPerBatch} events per batch`,
      unit: 'events',
      rounds: ROUNDS,
      contenders: [
        {
          name: 'tracking log, read and decoded',
          run: async () => ({
            amount: EVENTS,
            seconds: await seconds(async () => {
              for await (const _ of log.read(0, null, { follow: false }));
            }),
          }),
        },
        {
          name: 'decodeBatch',
          run: async () => ({ amount: EVENTS, seconds: await seconds(repeated(() => decodeBatch(bytes))) }),
        },
        {
          name: 'JSON.parse',
          run: async () => ({
            amount: EVENTS,
            seconds: await seconds(repeated(() => JSON.parse(json.toString()) as unknown)),
          }),
        },
      ],
      ratios: [{ of: 'tracking log, read and decoded', over: 'JSON.parse' }],
    });
    await log.close();
    return result;
  });
}

report('append', [
  await appending(25),
  await appending(200),
  ...(await onKafka()),
  ...(await onEventStoreDbDouble()),
  await reading(25),
  await reading(200),
]);
