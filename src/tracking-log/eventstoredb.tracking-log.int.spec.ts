// The EventStoreDB driver: the contract against the protocol double, and against a real server where
// EVENTSTORE_URL names one; and what becomes of it when the double is killed, hung, silent or replaced.
import { setTimeout as delay } from 'node:timers/promises';
import { trackingLogContract } from '../../test/contract/tracking-log.contract.js';
import { batchNamed, nameOfWhole } from '../../test/crash/named-batches.js';
import {
  type EventStoreDbDouble,
  freshStreams,
  givenEventStoreDb,
  startEventStoreDbDouble,
} from '../../test/doubles/eventstoredb.js';
import { type FaultProxy, startFaultProxy } from '../../test/servers/fault-proxy.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EventStoreDbTrackingLog } from './eventstoredb.tracking-log.js';
import {
  InvalidPositionError,
  type RecordedBatch,
  TrackingLogUnreachableError,
  TrackingLogUnusableError,
} from './tracking-log.js';

const TIMEOUT_MS = 1_000;
/** Longer than the client needs to give up a silent connection, and to make another. */
const PATIENCE_MS = 60_000;

let double: EventStoreDbDouble;

beforeAll(async () => {
  double = await startEventStoreDbDouble();
});
afterAll(() => double.stop());

trackingLogContract('eventstoredb (protocol double, not a server)', {
  fresh: async () => ({ TRACKING_LOG: 'eventstoredb', ...freshStreams(double.url) }),
});

const server = givenEventStoreDb();
if (server !== undefined) {
  trackingLogContract('eventstoredb (the server of EVENTSTORE_URL)', {
    fresh: async () => ({ TRACKING_LOG: 'eventstoredb', ...freshStreams(server) }),
  });
}

describe('the EventStoreDB tracking log and its server (protocol double, not a server)', () => {
  let proxy: FaultProxy;
  let streams: Record<string, string>;
  const opened: EventStoreDbTrackingLog[] = [];

  beforeEach(async () => {
    proxy = await startFaultProxy(double.port);
    streams = freshStreams(`esdb://127.0.0.1:${proxy.port}?tls=false`);
  });
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close();
    await proxy.close();
  });

  async function open(environment: Record<string, string> = {}): Promise<EventStoreDbTrackingLog> {
    const config = readConfig({
      ...streams,
      TRACKING_LOG_PARTITIONS: '2',
      ...environment,
    });
    const log = await EventStoreDbTrackingLog.open({ config, telemetry: new Telemetry('silent') });
    opened.push(log);
    return log;
  }

  /** Appends without end, again what was refused, until told to stop; gives the names of what was taken. */
  function appending(log: EventStoreDbTrackingLog): {
    taken: string[];
    refusals: number[];
    stop(): Promise<void>;
  } {
    const taken: string[] = [];
    const refusals: number[] = [];
    let isStopped = false;
    const running = (async () => {
      for (let n = 0; !isStopped;) {
        const startedAt = performance.now();
        const { outcome } = await log.append(0, batchNamed(`${n}`, 3));
        if (outcome === 'appended') taken.push(`${n++}`);
        else refusals.push(performance.now() - startedAt);
        await delay(5);
      }
    })();
    return {
      taken,
      refusals,
      stop: async () => {
        isStopped = true;
        await running;
      },
    };
  }

  function following(log: EventStoreDbTrackingLog): { seen: RecordedBatch[]; stop(): Promise<void> } {
    const seen: RecordedBatch[] = [];
    const end = new AbortController();
    const running = (async () => {
      for await (const batch of log.read(0, null, { follow: true, signal: end.signal })) seen.push(batch);
    })();
    return {
      seen,
      stop: async () => {
        end.abort();
        await running;
      },
    };
  }

  const faults: Record<string, { begin(): Promise<void>; end(): Promise<void>; lastsMs: number }> = {
    'is killed with -9 and started again': {
      begin: () => double.process.kill(),
      end: () => double.process.start(),
      lastsMs: 500,
    },
    'hangs, and goes on': {
      begin: async () => double.process.pause(),
      end: async () => double.process.resume(),
      lastsMs: 2 * TIMEOUT_MS,
    },
    'is behind a network that swallows everything for a while': {
      begin: async () => void (proxy.mode = 'blackhole'),
      end: async () => void (proxy.mode = 'pass'),
      lastsMs: 16_000,
    },
    'resets its connections': {
      begin: async () => proxy.cut(),
      end: async () => undefined,
      lastsMs: 100,
    },
  };

  it.each(Object.keys(faults))('misses nothing and refuses in time when the server %s', async (name) => {
    const { begin, end, lastsMs } = faults[name]!;
    const log = await open({ EVENTSTORE_TIMEOUT_MS: String(TIMEOUT_MS) });
    const writer = appending(log);
    const reader = following(log);
    await until(() => reader.seen.length >= 20);
    await begin();
    await delay(lastsMs);
    await end();
    const before = writer.taken.length;
    await until(() => writer.taken.length >= before + 20);
    await writer.stop();
    await until(
      () =>
        reader.seen.at(-1)?.position === String(reader.seen.length - 1) && hasAll(reader.seen, writer.taken),
    );
    await reader.stop();
    for (const refusal of writer.refusals) expect(refusal).toBeLessThan(TIMEOUT_MS + 8_000);
    if (lastsMs > TIMEOUT_MS) expect(writer.refusals.length).toBeGreaterThan(0);
    const again: RecordedBatch[] = [];
    for await (const batch of log.read(0, null, { follow: false })) again.push(batch);
    expect(again).toEqual(reader.seen);
  });

  it('survives a server that comes and goes under a hundred appends at once', async () => {
    const log = await open({ EVENTSTORE_TIMEOUT_MS: String(TIMEOUT_MS) });
    const taken: string[] = [];
    let isStopped = false;
    const writers = Array.from({ length: 100 }, async (_, writer) => {
      for (let n = 0; !isStopped; n++) {
        const { outcome } = await log.append(1, batchNamed(`${writer}:${n}`, 1));
        if (outcome === 'appended') taken.push(`${writer}:${n}`);
        else await delay(1);
      }
    });
    for (let round = 0; round < 5 || taken.length <= 100; round++) {
      await delay(200);
      proxy.mode = 'refuse';
      await delay(100);
      proxy.mode = 'pass';
    }
    isStopped = true;
    await Promise.all(writers);
    const names = new Set<string>();
    for await (const { events } of log.read(1, null, { follow: false })) names.add(nameOfWhole(events));
    expect(taken.filter((name) => !names.has(name))).toEqual([]);
  });

  it('holds the server back when its reader is slow, and does not fill its memory', async () => {
    const log = await open();
    const large = batchNamed('large', 1).map((event) => ({ ...event, title: 'x'.repeat(900_000) }));
    for (let n = 0; n < 120; n++) expect((await log.append(0, large)).outcome).toBe('appended');
    const before = process.memoryUsage();
    const reading = log.read(0, null, { follow: true })[Symbol.asyncIterator]();
    await reading.next();
    await delay(1_500);
    const after = process.memoryUsage();
    await reading.return?.();
    const grown = after.external - before.external;
    expect(grown).toBeLessThan(40_000_000);
  });

  it('counts as appended never before an earlier batch, whatever the clocks of two intakes say', async () => {
    const [ahead, behind] = [await open(), await open()];
    const now = Date.now();
    const received = (ms: number) =>
      batchNamed('received', 1).map((event) => ({ ...event, receivedAt: now + ms }));
    for (const [log, ms] of [
      [ahead, 60_000],
      [behind, 0],
      [ahead, 61_000],
      [behind, 10],
    ] as const) {
      await log.append(0, received(ms));
    }
    const stamps: number[] = [];
    for await (const { appendedAt } of ahead.read(0, null, { follow: false })) stamps.push(appendedAt);
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    const fromSecond: number[] = [];
    for await (const { appendedAt } of ahead.read(0, '0', { follow: false })) fromSecond.push(appendedAt);
    expect(fromSecond).toEqual(stamps.slice(1));
  });

  it('finds by time what two intakes appended whose clocks are some seconds apart', async () => {
    const [one, two] = [await open(), await open()];
    const base = Date.now() + 1_000_000;
    const received: number[] = [];
    for (let n = 0; n < 60; n++) {
      const ms = n * 1_000 - (n % 2) * 4_000;
      received.push(ms);
      await (n % 2 ? two : one).append(
        0,
        batchNamed('r', 1).map((event) => ({ ...event, receivedAt: base + ms })),
      );
    }
    for (const since of [-10_000, 0, 500, 17_000, 17_001, 40_000, 57_500, 58_000, 59_000]) {
      const position = await one.findByTime(0, new Date(base + since));
      const next = position === null ? 0 : Number(position) + 1;
      // Everything received since is behind it; and no more is than has to be.
      expect(received.findIndex((ms) => ms >= since)).toBe(next < received.length ? next : -1);
    }
  });

  it('gives up with a line for the operator when nobody listens', async () => {
    proxy.mode = 'refuse';
    const opening = open();
    await expect(opening).rejects.toThrow(TrackingLogUnreachableError);
    await expect(opening).rejects.toThrow(
      new RegExp(`^EventStoreDB could not be used at 127\\.0\\.0\\.1:${proxy.port}: .*Check EVENTSTORE_URL`),
    );
  });

  it('gives up with a line for the operator when the number of partitions is another', async () => {
    await open();
    const opening = open({ TRACKING_LOG_PARTITIONS: '3' });
    await expect(opening).rejects.toThrow(TrackingLogUnusableError);
    await expect(opening).rejects.toThrow(/has 2 partitions.*TRACKING_LOG_PARTITIONS=2/);
  });

  it('says so, and does not wait, when an older log has taken the place of the one it reads', async () => {
    const other = await startEventStoreDbDouble({ keeps: 'memory' });
    streams = freshStreams(other.url);
    const log = await open();
    for (let n = 0; n < 3; n++) await log.append(0, batchNamed(`${n}`, 1));
    const reading = log.read(0, null, { follow: true })[Symbol.asyncIterator]();
    for (let n = 0; n < 3; n++) await reading.next();
    const next = reading.next();
    next.catch(() => undefined);
    await other.process.kill();
    await other.process.start();
    await expect(next).rejects.toThrow(InvalidPositionError);
    await other.stop();
  });
});

const hasAll = (seen: readonly RecordedBatch[], names: readonly string[]): boolean => {
  const found = new Set(seen.map(({ events }) => nameOfWhole(events)));
  return names.every((name) => found.has(name));
};

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`It did not hold within ${PATIENCE_MS} ms`);
    await delay(10);
  }
}
