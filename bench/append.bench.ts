// What the tracking log adds to bare LMDB, for the same bytes in the same transactions; what the
// sync costs; and how fast a batch is read back.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { Registry } from 'prom-client';
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { decodeBatch, encodeBatch, encodedBytes, encodeEvent } from '../src/tracking-log/batch-codec.js';
import { EmbeddedTrackingLog } from '../src/tracking-log/embedded.tracking-log.js';
import { TrackingLogTelemetry } from '../src/tracking-log/tracking-log.telemetry.js';
import { type BenchmarkResult, type Contender, measure, report, seconds } from './measure.js';

const EVENTS = 100_000;
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

function rawLmdb(name: string, batches: readonly Buffer[], options: object): Contender {
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
          inGroups(batches.length, (index) =>
            db.put([index % PARTITIONS, Math.floor(index / PARTITIONS)], batches[index]!),
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

async function appending(eventsPerBatch: number): Promise<BenchmarkResult> {
  const count = EVENTS / eventsPerBatch;
  const batches = Array.from({ length: count }, (_, batch) =>
    Array.from({ length: eventsPerBatch }, (__, index) => event(batch * eventsPerBatch + index)),
  );
  const encoded = batches.map((batch) => batch.map(encodeEvent));
  const bytes = encoded.map((batch) => encodeBatch(batch, 0, Buffer.allocUnsafeSlow(encodedBytes(batch))));
  const ours = 'tracking log, events already encoded';
  const raw = 'lmdb, visible once durable';
  return measure({
    name: `durable append, ${eventsPerBatch} events per batch, ${Math.round(bytes[0]!.length / eventsPerBatch)} bytes per event`,
    unit: 'events',
    rounds: ROUNDS,
    contenders: [
      trackingLog(ours, (log, index) => log.appendEncoded(index % PARTITIONS, encoded[index]!), count),
      rawLmdb(raw, bytes, { overlappingSync: false }),
      rawLmdb('lmdb, visible before durable (its default)', bytes, {}),
      rawLmdb('lmdb, never synced', bytes, { overlappingSync: false, noSync: true }),
      trackingLog(
        'tracking log, encoding included',
        (log, index) => log.append(index % PARTITIONS, batches[index]!),
        count,
      ),
    ],
    ratios: [
      { of: ours, over: raw, atLeast: 0.85 },
      { of: ours, over: 'lmdb, visible before durable (its default)' },
      { of: raw, over: 'lmdb, never synced' },
    ],
  });
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

report('append', [await appending(25), await appending(200), await reading(25), await reading(200)]);
