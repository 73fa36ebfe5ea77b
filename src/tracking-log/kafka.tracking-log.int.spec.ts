// The Kafka driver: the contract on one broker and on three, and what only this driver promises.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { trackingLogContract } from '../../test/contract/tracking-log.contract.js';
import { batchNamed, nameOfWhole } from '../../test/crash/named-batches.js';
import { describeWith } from '../../test/servers/describe-with.js';
import { freePort } from '../../test/servers/free-port.js';
import { startKafka, type TestKafka } from '../../test/servers/kafka.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { openTrackingLog } from './tracking-log.module.js';
import {
  type Batch,
  type Position,
  type RecordedBatch,
  type TrackingLog,
  TrackingLogUnusableError,
  TruncatedLogError,
} from './tracking-log.js';

const freshTopic = (kafka: TestKafka): Record<string, string> => ({
  KAFKA_BROKERS: kafka.brokers.join(','),
  KAFKA_TOPIC: `log-${randomUUID()}`,
});

describeWith('kafka', 'Kafka with one broker', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 240_000);
  afterAll(() => kafka.stop());

  trackingLogContract('kafka', { fresh: async () => freshTopic(kafka) });

  describe('the kafka tracking log', () => {
    let environment: Record<string, string>;
    let admin: Admin;
    const opened: TrackingLog[] = [];

    const open = async (settings: Record<string, string> = {}): Promise<TrackingLog> => {
      const log = await openTrackingLog(readConfig({ ...environment, ...settings }), new Telemetry('silent'));
      opened.push(log);
      return log;
    };
    const refusal = async (settings: Record<string, string>): Promise<string> => {
      const error: unknown = await open(settings).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TrackingLogUnusableError);
      return (error as Error).message;
    };

    beforeAll(async () => {
      admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
    });
    afterAll(() => admin.disconnect());
    beforeEach(() => {
      environment = { ...freshTopic(kafka), TRACKING_LOG_PARTITIONS: '3' };
    });
    afterEach(async () => {
      for (const log of opened.splice(0)) await log.close();
    });

    describe('at boot', () => {
      it('makes a topic that keeps everything, with as many partitions as are configured', async () => {
        await open();
        const { topics } = await admin.fetchTopicMetadata({ topics: [environment['KAFKA_TOPIC']!] });
        expect(topics[0]!.partitions).toHaveLength(3);
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: environment['KAFKA_TOPIC']! }],
        });
        const config = Object.fromEntries(
          resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
        );
        expect(config).toMatchObject({
          'retention.ms': '-1',
          'retention.bytes': '-1',
          'cleanup.policy': 'delete',
          'message.timestamp.type': 'CreateTime',
        });
      });

      it.each(['2', '4'])('refuses a topic of 3 partitions where %s are configured', async (configured) => {
        await open();
        const message = await refusal({ TRACKING_LOG_PARTITIONS: configured });
        expect(message).toContain(`has 3 partitions and TRACKING_LOG_PARTITIONS is ${configured}`);
      });

      it('refuses a topic that somebody made to be compacted, and says why', async () => {
        const topic = environment['KAFKA_TOPIC']!;
        const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
        await admin.createTopics({ topics: [{ topic, numPartitions: 3, configEntries }] });
        const message = await refusal({});
        expect(message).toContain('cleanup.policy=compact');
        expect(message).toContain('max.message.bytes');
      });

      it('refuses more copies than there are brokers', async () => {
        expect(await refusal({ KAFKA_REPLICATION_FACTOR: '3' })).toMatch(/check KAFKA_REPLICATION_FACTOR/);
      });

      it('refuses brokers that are not there, in bounded time', async () => {
        const nowhere = `127.0.0.1:${await freePort()}`;
        const startedAt = performance.now();
        const message = await refusal({ KAFKA_BROKERS: nowhere });
        expect(message).toContain(nowhere);
        expect(message).toContain('ECONNREFUSED');
        expect(performance.now() - startedAt).toBeLessThan(40_000);
      });

      it('finds the one broker of the list that is there', async () => {
        const nowhere = `127.0.0.1:${await freePort()}`;
        const log = await open({ KAFKA_BROKERS: `${nowhere},${kafka.brokers[0]}` });
        await appended(log, batchNamed('a', 1));
      });
    });

    it('says what was removed below the position that a reader stands at', async () => {
      const log = await open();
      const positions: Position[] = [];
      for (const name of ['a', 'b', 'c', 'd']) positions.push(await appended(log, batchNamed(name, 1)));
      const topic = environment['KAFKA_TOPIC']!;
      await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
      expect(namesOf(await all(log, null))).toEqual(['c', 'd']);
      expect(namesOf(await all(log, positions[1]!))).toEqual(['c', 'd']);
      await expect(all(log, positions[0]!)).rejects.toThrow(TruncatedLogError);
    });

    it('gives every batch the same time of appending wherever a reading begins, though clocks differ', async () => {
      const log = await open();
      const now = Date.now();
      const positions: Position[] = [];
      for (const ms of [0, 50_000, 7_000, 7_001, 50_001, 3, 90_000, 80_000]) {
        const [event] = batchNamed(`${ms}`, 1);
        positions.push(await appended(log, [{ ...event!, receivedAt: now + 100_000 + ms }]));
      }
      const read = await all(log, null);
      expect(read.map(({ appendedAt }) => appendedAt - now - 100_000)).toEqual([
        0, 50_000, 50_000, 50_000, 50_001, 50_001, 90_000, 90_000,
      ]);
      for (const [index, position] of positions.entries()) {
        expect(await all(log, position)).toEqual(read.slice(index + 1));
      }
    });

    it.each(['none', 'gzip', 'snappy'])('keeps batches with compression %s', async (compression) => {
      const log = await open({ KAFKA_COMPRESSION: compression });
      const batches = [batchNamed('a', 1), batchNamed('b', 500)];
      for (const batch of batches) await appended(log, batch);
      const snappy = await open({ KAFKA_COMPRESSION: 'snappy' });
      expect((await all(snappy, null)).map(({ events }) => events)).toEqual(batches);
    });

    it('reads one partition at many places at once, some at the end and some behind', async () => {
      const log = await open();
      const names = Array.from({ length: 300 }, (_, index) => `${index}`);
      const stop = new AbortController();
      const following = all(log, null, { follow: true, signal: stop.signal, count: names.length });
      await Promise.all(names.map((name) => appended(log, batchNamed(name, 20))));
      const [followed, ...behind] = await Promise.all([
        following,
        ...[0, 100, 298].map((offset) => all(log, String(offset))),
      ]);
      expect(followed).toHaveLength(300);
      expect(behind).toEqual([0, 100, 298].map((offset) => followed.slice(offset + 1)));
    });

    it('does nothing while nothing happens', async () => {
      const log = await open();
      const stop = new AbortController();
      const following = [0, 1, 2].map((partition) =>
        all(log, null, { partition, follow: true, signal: stop.signal }),
      );
      await appended(log, batchNamed('a', 1));
      await delay(500);
      const shares: number[] = [];
      for (let second = 0; second < 5; second++) {
        const before = process.cpuUsage();
        await delay(1_000);
        const { user, system } = process.cpuUsage(before);
        shares.push((user + system) / 1_000_000);
      }
      stop.abort();
      await Promise.all(following);
      // With kafkajs's timers left as they are it is above 5 %, every second.
      expect(Math.min(...shares)).toBeLessThan(0.03);
    });
  });
});

describeWith('own-kafka', 'Kafka with three brokers', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
  }, 240_000);
  afterAll(() => kafka.stop());

  trackingLogContract('kafka (three brokers)', { fresh: async () => freshTopic(kafka) });
});

interface AllOptions {
  readonly partition?: number;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
  readonly count?: number;
}

async function all(
  log: TrackingLog,
  after: Position | null,
  { partition = 0, follow = false, signal, count = Number.POSITIVE_INFINITY }: AllOptions = {},
): Promise<RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  for await (const batch of log.read(partition, after, { follow, ...(signal && { signal }) })) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

async function appended(log: TrackingLog, batch: Batch): Promise<Position> {
  const result = await log.append(0, batch);
  if (result.outcome !== 'appended') throw new Error(JSON.stringify(result));
  return result.position;
}

const namesOf = (batches: readonly RecordedBatch[]): string[] =>
  batches.map(({ events }) => nameOfWhole(events));
