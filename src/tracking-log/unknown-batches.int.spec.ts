// A log to which a newer version appended, read through every driver: the reader stops at its batches or
// passes them over, as it chose. What this process appends counts as the newer version's between
// `newer = true` and `newer = false`.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchNamed, nameOfWhole } from '../../test/crash/named-batches.js';
import { freshStreams, startEventStoreDbDouble } from '../../test/doubles/eventstoredb.js';
import { NEWER_SCHEMA, withSchema } from '../../test/newer-batch.js';
import { describeWith } from '../../test/servers/describe-with.js';
import { startKafka } from '../../test/servers/kafka.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { openTrackingLog } from './tracking-log.module.js';
import {
  type RecordedBatch,
  type TrackingLog,
  type UnknownBatches,
  UnknownBatchError,
} from './tracking-log.js';

let newer = false;

jest.mock('./batch-codec.js', () => {
  const actual = jest.requireActual<typeof import('./batch-codec.js')>('./batch-codec.js');
  const encodeBatch: typeof actual.encodeBatch = (...batch) =>
    newer ? withSchema(NEWER_SCHEMA, actual.encodeBatch(...batch)) : actual.encodeBatch(...batch);
  return { ...actual, encodeBatch };
});

interface Server {
  readonly environment: () => Promise<Record<string, string>>;
  stop(): Promise<void>;
}

function suite(start: () => Promise<Server>): void {
  let server: Server;
  let log: TrackingLog;

  beforeAll(async () => {
    server = await start();
  }, 240_000);
  afterAll(() => server?.stop());

  beforeEach(async () => {
    const config = readConfig({ ...(await server.environment()), TRACKING_LOG_PARTITIONS: '2' });
    log = await openTrackingLog(config, new Telemetry('silent'));
    for (const name of ['old', 'new', 'late']) {
      newer = name === 'new';
      await log.append(1, batchNamed(name, 5));
    }
  });
  afterEach(() => log.close());

  const reading = async (
    seen: RecordedBatch[],
    { after = null, unknownBatches }: { after?: string | null; unknownBatches?: UnknownBatches } = {},
  ): Promise<void> => {
    const options = { follow: false, ...(unknownBatches && { unknownBatches }) };
    for await (const batch of log.read(1, after, options)) seen.push(batch);
  };

  it('stops a reader that did not say that it can do without, at the place that it names', async () => {
    const seen: RecordedBatch[] = [];
    const error = await reading(seen).catch((reason: unknown) => reason);
    expect(seen.map(({ events }) => nameOfWhole(events))).toEqual(['old']);
    expect(error).toBeInstanceOf(UnknownBatchError);
    const { partition, position, unknown } = error as UnknownBatchError;
    expect({ partition, unknown }).toEqual({ partition: 1, unknown: { schema: NEWER_SCHEMA, events: 5 } });
    const after: RecordedBatch[] = [];
    await reading(after, { after: position });
    expect(after.map(({ events }) => nameOfWhole(events))).toEqual(['late']);
  });

  it('stops a reader of slices at the same place', async () => {
    const seen: number[] = [];
    const sliced = async () => {
      for await (const { events } of log.readSlices(1, null, { follow: false })) seen.push(events.length);
    };
    const error = await sliced().catch((reason: unknown) => reason);
    expect(error).toEqual(await reading([]).catch((reason: unknown) => reason));
    expect(error).toBeInstanceOf(UnknownBatchError);
    expect(seen).toEqual([5]);
  });

  it('is passed over by a reader that asks for it, who gets the bytes, and the batches around it whole', async () => {
    const seen: RecordedBatch[] = [];
    await reading(seen, { unknownBatches: 'pass-over' });
    expect(seen.map(({ unknown }) => unknown?.schema)).toEqual([undefined, NEWER_SCHEMA, undefined]);
    expect([seen[0]!, seen[2]!].map(({ events }) => nameOfWhole(events))).toEqual(['old', 'late']);
    const { events, unknown, appendedAt } = seen[1]!;
    expect([events, unknown!.events]).toEqual([[], 5]);
    expect(unknown!.bytes.toString('utf8', 16)).toContain('new/4/5');
    expect(appendedAt).toBeGreaterThanOrEqual(seen[0]!.appendedAt);
    expect(seen[2]!.appendedAt).toBeGreaterThanOrEqual(appendedAt);
  });
}

describe('a batch of a newer version in the embedded log', () => {
  suite(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-newer-'));
    return {
      environment: async () => ({ TRACKING_LOG: 'embedded', DATA_DIR: join(directory, randomUUID()) }),
      stop: () => rm(directory, { recursive: true }),
    };
  });
});

describe('a batch of a newer version in EventStoreDB (protocol double, not a server)', () => {
  suite(async () => {
    const double = await startEventStoreDbDouble();
    return {
      environment: async () => ({ TRACKING_LOG: 'eventstoredb', ...freshStreams(double.url) }),
      stop: () => double.stop(),
    };
  });
});

describeWith('kafka', 'a batch of a newer version in Kafka', () => {
  suite(async () => {
    const kafka = await startKafka();
    return {
      environment: async () => ({
        KAFKA_BROKERS: kafka.brokers.join(','),
        KAFKA_TOPIC: `log-${randomUUID()}`,
      }),
      stop: () => kafka.stop(),
    };
  });
});
