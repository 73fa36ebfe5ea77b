// Projectors whose checkpoint is no longer a place of the log: they halt, say so once, and go on with
// what the log holds when they are told to as they say.
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { openLog, project, type Projecting } from '../../../test/projecting.js';
import { expectedReadModels, readModelBytes, storedReadModels } from '../../../test/read-models.js';
import { describeWith } from '../../../test/servers/describe-with.js';
import { startKafka, type TestKafka } from '../../../test/servers/kafka.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import { trouble } from '../../../test/traffic.js';
import { readConfig } from '../../config/config.js';
import type { TrackedEvent } from '../../events/tracked-event.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { TrackingLog } from '../../tracking-log/tracking-log.js';
import { openTrackingLog } from '../../tracking-log/tracking-log.module.js';
import { CATALOG } from '../../../test/catalog.js';
import { HaltedPartitions } from './halted-partitions.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { createReadModelTables } from './read-model-tables.js';

const BATCH_EVENTS = 50;
const made = trouble({
  ...{ seed: 4, events: 600, visitors: 20, days: 2 },
  ...{ from: Date.UTC(2026, 2, 30), sites: ['a', 'b'] },
});
/** In the order of the log. */
const [first, second, third] = [made.slice(0, 200), made.slice(200, 400), made.slice(400)];

interface Halting extends Projecting {
  readonly halted: HaltedPartitions;
  /** Lines of the log at level error. */
  errors(): string[];
  metric(): Promise<number>;
}

let postgres: MigratedPostgres;
beforeAll(async () => {
  postgres = await startMigratedPostgres();
  await createReadModelTables(postgres.pool, CATALOG);
});
beforeEach(() =>
  postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters'),
);
afterAll(() => postgres?.stop());

async function append(log: TrackingLog, events: readonly TrackedEvent[]): Promise<void> {
  for (let start = 0; start < events.length; start += BATCH_EVENTS) {
    await log.append(0, events.slice(start, start + BATCH_EVENTS));
  }
}

async function projectAll(log: TrackingLog): Promise<void> {
  const projecting = project(log, postgres.pool);
  await projecting.caughtUp();
  await projecting.stop();
}

function projectHalting(log: TrackingLog, haltedLookMs: number): Halting {
  const lines: string[] = [];
  const shared = new Telemetry('error', { write: (line) => lines.push(line) });
  const telemetry = new ProjectionsTelemetry(shared);
  const halted = new HaltedPartitions(telemetry);
  return {
    ...project(log, postgres.pool, { telemetry, halted, haltedLookMs }),
    halted,
    errors: () => lines,
    async metric() {
      const { values } = await shared.registry
        .getSingleMetric('tidemark_projections_partitions_halted')!
        .get();
      return values[0]!.value;
    },
  };
}

async function haltedOf({ halted }: Halting): Promise<string> {
  while (halted.reason === undefined) await sleep(5);
  return halted.reason;
}

const tellToGoOn = (said: string): Promise<unknown> =>
  postgres.pool.query(/UPDATE checkpoints SET position = NULL WHERE partition = 0/.exec(said)![0]);

describe('a partition whose log was replaced by an older one', () => {
  let directory: string;
  let older: TrackingLog;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-halted-'));
    const log = openLog(join(directory, 'log'), 1);
    await append(log, first);
    await cp(join(directory, 'log'), join(directory, 'older'), { recursive: true });
    await append(log, second);
    await projectAll(log);
    await log.close();
    older = openLog(join(directory, 'older'), 1);
  });
  afterEach(async () => {
    await older.close();
    await rm(directory, { recursive: true });
  });

  it('halts: says so once, does not try again at once, and writes nothing', async () => {
    const before = await readModelBytes(postgres.pool);
    const reads = jest.spyOn(older, 'read');
    const projecting = projectHalting(older, 60_000);
    expect(await haltedOf(projecting)).toMatch(/beyond its end|replaced by an older one/);
    await sleep(1_000);
    expect(reads).toHaveBeenCalledTimes(1);
    expect(projecting.errors()).toHaveLength(1);
    expect(await projecting.metric()).toBe(1);
    expect(await readModelBytes(postgres.pool)).toEqual(before);
    await projecting.stop();
    expect(await projecting.metric()).toBe(0);
  });

  it('goes on when told to as it said, without counting anything twice', async () => {
    const projecting = projectHalting(older, 20);
    await haltedOf(projecting);
    await sleep(200);
    expect(projecting.errors()).toHaveLength(1);
    await tellToGoOn(projecting.errors()[0]!);
    await append(older, third);
    await projecting.caughtUp();
    while (projecting.halted.count > 0) await sleep(5);
    expect(await projecting.metric()).toBe(0);
    await projecting.stop();
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
  });
});

describeWith('kafka', 'a partition whose next batch was removed from Kafka', () => {
  let kafka: TestKafka;
  let log: TrackingLog;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 240_000);
  afterAll(async () => {
    await log?.close();
    await kafka?.stop();
  });

  it('halts, and goes on with what is left when told to', async () => {
    const topic = `log-${randomUUID()}`;
    const brokers = kafka.brokers;
    const settings = { KAFKA_BROKERS: brokers.join(','), KAFKA_TOPIC: topic, TRACKING_LOG_PARTITIONS: '1' };
    log = await openTrackingLog(readConfig(settings), new Telemetry('silent'));
    await append(log, first);
    await projectAll(log);
    await append(log, [...second, ...third]);
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
    const offset = String((first.length + second.length) / BATCH_EVENTS);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
    await admin.disconnect();

    const projecting = projectHalting(log, 20);
    expect(await haltedOf(projecting)).toMatch(/was removed from the log/);
    await tellToGoOn(projecting.errors()[0]!);
    await projecting.caughtUp();
    await projecting.stop();
    expect(projecting.errors()).toHaveLength(1);
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels([...first, ...third]));
  });
});
