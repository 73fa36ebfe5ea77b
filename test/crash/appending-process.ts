// A process to be killed, traced or starved: appends to the log that its environment names and
// prints a line for every answer. What it printed as appended must be in the log afterwards.
// APPENDERS work at once, each partition its share; the process ends after APPENDS, if given.
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { readConfig } from '../../src/config/config.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { openTrackingLog } from '../../src/tracking-log/tracking-log.module.js';
import { batchNamed } from './named-batches.js';

const { APPENDERS = '12', APPENDS = 'Infinity' } = process.env;
const BATCH_EVENTS_MAX = 40;

const log = await openTrackingLog(readConfig(), new Telemetry('fatal'));
let appends = 0;

async function keepAppending(partition: number): Promise<void> {
  while (appends++ < Number(APPENDS)) {
    const events = 1 + Math.floor(Math.random() * BATCH_EVENTS_MAX);
    const name = randomUUID();
    const result = await log.append(partition, batchNamed(name, events));
    writeSync(1, `${JSON.stringify({ partition, name, ...result })}\n`);
    if (result.outcome === 'refused') return;
  }
}

await Promise.all(
  Array.from({ length: Number(APPENDERS) }, (_, index) => keepAppending(index % log.partitions)),
);
await log.close();
