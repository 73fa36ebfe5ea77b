// What the archive costs: writing a log as Parquet segments, and reading it back against reading the log that
// it was written from, both to the same batches. Bytes an event takes, in the log and in the archive.
// --events=400000.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SegmentWriter, type WrittenSegment } from '../src/archive/segment-writer.js';
import { readSegment } from '../src/archive/segment-reader.js';
import { encodedBytes, encodeEvent } from '../src/tracking-log/batch-codec.js';
import type { RecordedBatch } from '../src/tracking-log/tracking-log.js';
import { openLog } from '../test/projecting.js';
import { liveTraffic } from './live-traffic.js';
import { measure, report, seconds } from './measure.js';

const EVENTS = Number(process.argv.find((argument) => argument.startsWith('--events='))?.slice(9) ?? 400_000);
const BATCH_EVENTS = 100;
const ROUNDS = 5;
const FROM = Date.UTC(2026, 10, 20, 9);

const directory = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
const log = openLog(directory, 1);
let logBytes = 0;
try {
  await fill();
  let written = await write();
  let residentBytesMax = 0;
  const results = [
    await measure({
      name: `${EVENTS.toLocaleString('en')} events in batches of ${BATCH_EVENTS}, one segment`,
      unit: 'events',
      rounds: ROUNDS,
      contenders: [
        { name: 'read the log', run: () => counted(log.read(0, null, { follow: false })) },
        { name: 'read the archive', run: () => counted(readSegment(written.bytes)) },
        {
          name: 'write the archive, reading the log included',
          run: async () => ({
            amount: EVENTS,
            seconds: await seconds(async () => (written = await write())),
          }),
        },
      ],
      ratios: [{ of: 'read the archive', over: 'read the log', atLeast: 0.35 }],
    }),
  ];
  for await (const _ of readSegment(written.bytes))
    residentBytesMax = Math.max(residentBytesMax, process.memoryUsage.rss());
  report('archive', results, [
    { name: 'in the log', value: logBytes / EVENTS, unit: 'bytes per event' },
    { name: 'in the archive', value: written.bytes.length / EVENTS, unit: 'bytes per event' },
    { name: 'resident while reading, at most', value: residentBytesMax / 1_048_576, unit: 'MiB' },
  ]);
} finally {
  await log.close();
  rmSync(directory, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  let batch = [];
  let appends: Promise<unknown>[] = [];
  for (const event of liveTraffic(EVENTS, FROM)) {
    batch.push(event);
    if (batch.length < BATCH_EVENTS) continue;
    logBytes += encodedBytes(batch.map(encodeEvent));
    appends.push(log.append(0, batch));
    batch = [];
    if (appends.length % 64 === 0) {
      await Promise.all(appends);
      appends = [];
    }
  }
  await Promise.all(appends);
}

async function write(): Promise<WrittenSegment> {
  const writer = new SegmentWriter({ partition: 0, after: null });
  for await (const batch of log.read(0, null, { follow: false })) writer.add(batch);
  return writer.finish(writer.range!, 1);
}

async function counted(batches: AsyncIterable<RecordedBatch>): Promise<{ amount: number; seconds: number }> {
  let events = 0;
  const time = await seconds(async () => {
    for await (const batch of batches) events += batch.events.length;
  });
  if (events !== EVENTS) throw new Error(`read ${events} events instead of ${EVENTS}`);
  return { amount: EVENTS, seconds: time };
}
