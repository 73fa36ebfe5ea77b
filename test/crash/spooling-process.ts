// A process to be killed or starved that appends through a spool: to a log under DATA_DIR that is away
// again and again, by turns in every way (or as OBSTRUCTION says, all the time). Prints a line for every answer, as
// appending-process.ts does; one appender for each partition, so that its answers have an order. Ends
// after APPENDS of each; what is spooled then is drained as far as closing goes.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { EmbeddedTrackingLog } from '../../src/tracking-log/embedded.tracking-log.js';
import { SpoolTelemetry } from '../../src/tracking-log/spool.telemetry.js';
import { SpoolingTrackingLog } from '../../src/tracking-log/spooling.tracking-log.js';
import { TrackingLogTelemetry } from '../../src/tracking-log/tracking-log.telemetry.js';
import { type Obstruction, ObstructedLog } from '../obstructed-log.js';
import { batchNamed } from './named-batches.js';

const { DATA_DIR = '', LIFE = '0', OBSTRUCTION, APPENDS = 'Infinity', PARTITIONS = '3' } = process.env;
const OBSTRUCTIONS: readonly Obstruction[] = ['none', 'refuses', 'none', 'loses-answers', 'throws'];
const BATCH_EVENTS_MAX = 40;

const onDiskFailure = (): never => process.exit(1);
const embedded = new EmbeddedTrackingLog({
  directory: join(DATA_DIR, 'remote'),
  partitions: Number(PARTITIONS),
  bytesMax: 2 ** 30,
  telemetry: new TrackingLogTelemetry(new Registry()),
  onDiskFailure,
});
const remote = new ObstructedLog(embedded);
const log = await SpoolingTrackingLog.open(remote, {
  directory: join(DATA_DIR, 'spool'),
  bytesMax: 2 ** 28,
  telemetry: new SpoolTelemetry(new Telemetry('silent')),
  onDiskFailure,
});

async function obstruct(): Promise<void> {
  for (;;) {
    remote.obstruct(OBSTRUCTIONS[Math.floor(Math.random() * OBSTRUCTIONS.length)]!);
    await delay(Math.random() * 40);
  }
}

async function keepAppending(partition: number): Promise<void> {
  for (let index = 0; index < Number(APPENDS); index++) {
    const name = `${LIFE}:${partition}:${index}`;
    const events = 1 + Math.floor(Math.random() * BATCH_EVENTS_MAX);
    const result = await log.append(partition, batchNamed(name, events));
    writeSync(1, `${JSON.stringify({ partition, name, ...result })}\n`);
    if (result.outcome === 'refused') return;
  }
}

if (OBSTRUCTION === undefined) void obstruct();
else remote.obstruct(OBSTRUCTION as Obstruction);
writeSync(1, '{}\n');
await Promise.all(Array.from({ length: log.partitions }, (_, partition) => keepAppending(partition)));
await log.close();
process.exit(0);
