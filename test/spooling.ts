// A spool before an embedded log that a test can take away, each in a directory of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Telemetry } from '../src/telemetry/telemetry.js';
import { EmbeddedTrackingLog } from '../src/tracking-log/embedded.tracking-log.js';
import { SpoolTelemetry } from '../src/tracking-log/spool.telemetry.js';
import { SpoolingTrackingLog } from '../src/tracking-log/spooling.tracking-log.js';
import type { AppendOutcome, Partition } from '../src/tracking-log/tracking-log.js';
import { TrackingLogTelemetry } from '../src/tracking-log/tracking-log.telemetry.js';
import { batchNamed, namesOfWholes } from './crash/named-batches.js';
import { ObstructedLog } from './obstructed-log.js';

export const MEGABYTE = 1_048_576;
export const SPOOLED: AppendOutcome = { outcome: 'spooled' };
export const UNAVAILABLE: AppendOutcome = { outcome: 'refused', reason: 'log-unavailable' };

export interface Spooling {
  readonly log: SpoolingTrackingLog;
  readonly remote: ObstructedLog;
  readonly telemetry: Telemetry;
  /** What would have ended the process. */
  readonly diskFailures: unknown[];
}

interface OpenOptions {
  readonly partitions?: number;
  readonly bytesMax?: number;
  /** Of the log behind the spool, where it is another than the spool's. */
  readonly logDirectory?: string;
}

const directories: string[] = [];
const opened: SpoolingTrackingLog[] = [];

export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-spool-'));
  directories.push(directory);
  return directory;
}

export async function openSpooling(directory: string, options: OpenOptions = {}): Promise<Spooling> {
  const { partitions = 2, bytesMax = 64 * MEGABYTE, logDirectory = directory } = options;
  const embedded = new EmbeddedTrackingLog({
    directory: join(logDirectory, 'remote'),
    partitions,
    bytesMax: 1024 * MEGABYTE,
    telemetry: new TrackingLogTelemetry(new Registry()),
    onDiskFailure: (error) => {
      throw error;
    },
  });
  const remote = new ObstructedLog(embedded);
  const telemetry = new Telemetry('silent');
  const diskFailures: unknown[] = [];
  try {
    const log = await SpoolingTrackingLog.open(remote, {
      directory: join(directory, 'spool'),
      bytesMax,
      telemetry: new SpoolTelemetry(telemetry),
      onDiskFailure: (error) => diskFailures.push(error),
    });
    opened.push(log);
    return { log, remote, telemetry, diskFailures };
  } catch (error) {
    await remote.close();
    throw error;
  }
}

export async function closeSpooling(): Promise<void> {
  for (const log of opened.splice(0)) await log.close();
}

export async function removeDirectories(): Promise<void> {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
}

/** Of the batches in the log behind the spool, in order. */
export async function namesIn(
  { remote }: Pick<Spooling, 'remote'>,
  partition: Partition = 0,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { events } of remote.read(partition, null, { follow: false })) {
    names.push(...namesOfWholes(events));
  }
  return names;
}

export function append({ log }: Spooling, name: string, partition: Partition = 0): Promise<AppendOutcome> {
  return log.append(partition, batchNamed(name, 3));
}

/** And the log is appended to directly again. */
export async function drained({ log }: Spooling): Promise<void> {
  while ((await log.state()).batches > 0) await delay(5);
  await delay(250);
}

/** Appends until not even the smallest batch is taken; gives back the names of what was. */
export async function fill({ log }: Spooling): Promise<string[]> {
  const taken: string[] = [];
  for (const events of [100, 1]) {
    for (;;) {
      const name = `${taken.length}`;
      const { outcome } = await log.append(0, batchNamed(name, events));
      if (outcome === 'refused') break;
      taken.push(name);
    }
  }
  return taken;
}
