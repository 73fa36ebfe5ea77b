// Kafka killed, hung and silent, under appends and reads; and the leader killed again and again. What
// was acknowledged is there, once or more, in an order that every reader sees alike.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { batchNamed, nameOfWhole } from '../../test/crash/named-batches.js';
import { describeWith } from '../../test/servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../../test/servers/fault-proxy.js';
import { freePort } from '../../test/servers/free-port.js';
import { startKafka, type TestKafka } from '../../test/servers/kafka.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { openTrackingLog } from './tracking-log.module.js';
import type { Partition, Position, TrackingLog } from './tracking-log.js';

const PARTITIONS = 3;
const APPEND_TIMEOUT_MS = 1_500;
/** What a busy machine may add to a timer. */
const SLACK_MS = 4_000;
/** Until it goes on as before. */
const PATIENCE_MS = 60_000;
const OUTAGE_MS = 6_000;
const LEADER_KILLS = Number(process.env['KAFKA_TEST_LEADER_KILLS'] ?? 3);
const LEADER_KILL_INTERVAL_MS = Number(process.env['KAFKA_TEST_LEADER_KILL_INTERVAL_MS'] ?? 5_000);

/** Appends and reads all the time, and compares what it was told with what it sees. */
class Load {
  readonly acknowledged = new Map<string, { partition: Partition; position: Position }>();
  readonly refusedAfterMs: number[] = [];
  acknowledgedAfterMs: number[] = [];
  readonly #followed: { name: string; position: Position }[][] = [];
  readonly #stopReading = new AbortController();
  readonly #reading: Promise<void>[];
  readonly #appending: Promise<void>[];
  #isAppending = true;

  constructor(private readonly log: TrackingLog) {
    for (let partition = 0; partition < PARTITIONS; partition++) this.#followed.push([]);
    this.#reading = this.#followed.map((_, partition) => this.#follow(partition));
    this.#appending = this.#followed.flatMap((_, partition) => [
      this.#append(partition),
      this.#append(partition),
    ]);
  }

  /** Until so many more appends of every partition were acknowledged. */
  async goesOn(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    const start = this.#counts();
    while (this.#counts().some((count, partition) => count < start[partition]! + 20)) {
      if (Date.now() > deadline) throw new Error(`Stands still: ${start.join()} → ${this.#counts().join()}`);
      await delay(20);
    }
  }

  /** The followers' and a fresh reading agree, are gap-free, and hold all that was acknowledged. */
  async check(): Promise<{ repeats: number }> {
    this.#isAppending = false;
    await Promise.all(this.#appending);
    let repeats = 0;
    for (const [partition, followed] of this.#followed.entries()) {
      const fresh: { name: string; position: Position }[] = [];
      for await (const { position, events } of this.log.read(partition, null, { follow: false })) {
        fresh.push({ position, name: nameOfWhole(events) });
      }
      const deadline = Date.now() + PATIENCE_MS;
      while (followed.length < fresh.length && Date.now() < deadline) await delay(20);
      expect(followed).toEqual(fresh);
      expect(fresh.map(({ position }) => Number(position))).toEqual(fresh.map((_, index) => index));
      for (const [name, place] of this.acknowledged) {
        if (place.partition !== partition) continue;
        expect({ name, position: fresh[Number(place.position)]?.name }).toEqual({ name, position: name });
      }
      repeats += fresh.length - new Set(fresh.map(({ name }) => name)).size;
    }
    this.#stopReading.abort();
    await Promise.all(this.#reading);
    return { repeats };
  }

  #counts(): number[] {
    const counts = this.#followed.map(() => 0);
    for (const { partition } of this.acknowledged.values()) counts[partition]!++;
    return counts;
  }

  async #append(partition: Partition): Promise<void> {
    while (this.#isAppending) {
      const name = randomUUID();
      const startedAt = performance.now();
      const result = await this.log.append(partition, batchNamed(name, 20));
      const afterMs = performance.now() - startedAt;
      if (result.outcome === 'appended') {
        this.acknowledged.set(name, { partition, position: result.position });
        this.acknowledgedAfterMs.push(afterMs);
      } else {
        expect(result).toEqual({ outcome: 'refused', reason: 'log-unavailable' });
        this.refusedAfterMs.push(afterMs);
      }
      await delay(2);
    }
  }

  async #follow(partition: Partition): Promise<void> {
    const signal = this.#stopReading.signal;
    for await (const { position, events } of this.log.read(partition, null, { follow: true, signal })) {
      this.#followed[partition]!.push({ position, name: nameOfWhole(events) });
    }
  }
}

async function open(brokers: readonly string[], topic: string): Promise<TrackingLog> {
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_TOPIC: topic,
    KAFKA_APPEND_TIMEOUT_MS: String(APPEND_TIMEOUT_MS),
    TRACKING_LOG_PARTITIONS: String(PARTITIONS),
  };
  return openTrackingLog(readConfig(environment), new Telemetry('silent'));
}

describeWith('own-kafka', 'a Kafka that goes away', () => {
  let kafka: TestKafka;
  let proxy: FaultProxy;
  let log: TrackingLog;
  const unhandled: unknown[] = [];
  const note = (reason: unknown): number => unhandled.push(reason);

  beforeAll(async () => {
    const port = await freePort();
    proxy = await startFaultProxy(port);
    kafka = await startKafka({ own: true, ports: [port], advertisedPorts: [proxy.port] });
    process.on('unhandledRejection', note);
  }, 240_000);
  afterAll(async () => {
    process.off('unhandledRejection', note);
    await proxy?.close();
    await kafka?.stop();
  });
  beforeEach(async () => {
    log = await open(kafka.brokers, `log-${randomUUID()}`);
  });
  afterEach(() => log.close());

  const faults: Record<string, { begin(): void | Promise<void>; end(): void | Promise<void> }> = {
    'killed with -9': { begin: () => kafka.nodes[0]!.kill(), end: () => kafka.nodes[0]!.start() },
    'stopped, so that it hangs': {
      begin: () => kafka.nodes[0]!.pause(),
      end: () => kafka.nodes[0]!.resume(),
    },
    'cut off silently': {
      begin: () => {
        proxy.mode = 'blackhole';
      },
      end: () => {
        proxy.mode = 'pass';
      },
    },
    'cut off with resets': {
      begin: () => {
        proxy.mode = 'refuse';
      },
      end: () => {
        proxy.mode = 'pass';
      },
    },
  };

  it.each(Object.keys(faults))(
    'and is %s: appends are refused in time, all goes on afterwards, nothing is lost',
    async (name) => {
      const { begin, end } = faults[name]!;
      const load = new Load(log);
      await load.goesOn();
      await begin();
      await delay(OUTAGE_MS);
      expect(load.refusedAfterMs.length).toBeGreaterThan(PARTITIONS);
      expect(Math.max(...load.refusedAfterMs)).toBeLessThan(APPEND_TIMEOUT_MS + SLACK_MS);
      await end();
      await load.goesOn();
      await load.check();
      expect(unhandled).toEqual([]);
    },
  );

  it('and stays away while the log closes: closing ends within the time of an append', async () => {
    const underWay = log.append(0, batchNamed('before', 1));
    await underWay;
    proxy.mode = 'blackhole';
    const late = log.append(0, batchNamed('late', 1));
    const startedAt = performance.now();
    await log.close();
    expect(performance.now() - startedAt).toBeLessThan(APPEND_TIMEOUT_MS + SLACK_MS);
    expect(await late).toEqual({ outcome: 'refused', reason: 'log-unavailable' });
    proxy.mode = 'pass';
  });

  it('and stays away while the log is opened: that is said within 20 s', async () => {
    proxy.mode = 'blackhole';
    const startedAt = performance.now();
    await expect(open(kafka.brokers, 'any')).rejects.toThrow(/cannot be used/);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    proxy.mode = 'pass';
  });
});

describeWith('own-kafka', 'three brokers whose leader is killed again and again', () => {
  let kafka: TestKafka;
  let log: TrackingLog;

  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
  }, 240_000);
  afterAll(async () => {
    await log?.close();
    await kafka?.stop();
  });

  it(
    `lose nothing acknowledged (${LEADER_KILLS} times, every ${LEADER_KILL_INTERVAL_MS} ms)`,
    async () => {
      const topic = `log-${randomUUID()}`;
      log = await open(kafka.brokers, topic);
      const load = new Load(log);
      await load.goesOn();
      for (let kill = 0; kill < LEADER_KILLS; kill++) {
        const leader = await leaderOf(kafka, { topic, partition: kill % PARTITIONS });
        await kafka.nodes[leader - 1]!.kill();
        await delay(LEADER_KILL_INTERVAL_MS / 2);
        await kafka.nodes[leader - 1]!.start();
        await delay(LEADER_KILL_INTERVAL_MS / 2);
      }
      await load.goesOn();
      const { repeats } = await load.check();
      expect(load.acknowledged.size).toBeGreaterThan(100);
      // Appends that were refused, or tried again, may be there twice; most are not.
      expect(repeats).toBeLessThan(load.acknowledged.size / 10);
    },
    120_000 + LEADER_KILLS * (LEADER_KILL_INTERVAL_MS + 30_000),
  );
});

async function leaderOf(
  kafka: TestKafka,
  { topic, partition }: { topic: string; partition: Partition },
): Promise<number> {
  const { brokers } = kafka;
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    for (;;) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const { leader } = topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!;
      if (leader > 0) return leader;
      await delay(100);
    }
  } finally {
    await admin.disconnect();
  }
}
