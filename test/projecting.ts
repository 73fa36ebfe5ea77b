// Projects a log into a database as the projector role does, without the rest of the process.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { CATALOG, createInterpreter } from './catalog.js';
import { random } from './traffic.js';
import { Checkpoints } from '../src/modules/projections/checkpoint.js';
import { EventBudget } from '../src/modules/projections/event-budget.js';
import { HaltedPartitions } from '../src/modules/projections/halted-partitions.js';
import { PartitionProjector, type ProjectorOptions } from '../src/modules/projections/projector.js';
import { ProjectionsTelemetry } from '../src/modules/projections/projections.telemetry.js';
import { sessionReader } from '../src/modules/projections/session-reader.js';
import { Telemetry } from '../src/telemetry/telemetry.js';
import { EmbeddedTrackingLog } from '../src/tracking-log/embedded.tracking-log.js';
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { partitionOf } from '../src/tracking-log/partitioning.js';
import type { TrackingLog } from '../src/tracking-log/tracking-log.js';
import { TrackingLogTelemetry } from '../src/tracking-log/tracking-log.telemetry.js';

export function openLog(directory: string, partitions: number): TrackingLog {
  return new EmbeddedTrackingLog({
    directory,
    partitions,
    bytesMax: 8_589_934_592,
    telemetry: new TrackingLogTelemetry(new Registry()),
    onDiskFailure: (error) => {
      throw error;
    },
  });
}

/** In batches of random sizes, each of one partition. */
export async function appendInBatches(
  log: TrackingLog,
  events: readonly TrackedEvent[],
  seed: number,
): Promise<void> {
  const next = random(seed);
  for (let start = 0; start < events.length;) {
    const size = 1 + Math.floor(next() * 40);
    for (let partition = 0; partition < log.partitions; partition++) {
      const batch = events
        .slice(start, start + size)
        .filter((event) => partitionOf(event.site, log.partitions) === partition);
      if (batch.length > 0) await log.append(partition, batch);
    }
    start += size;
  }
}

export interface Projecting {
  /** Settles when everything that is in the log now is in the read models. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

/** Settles when everything that is in the log now is in the read models, whoever writes them. */
export async function caughtUp(log: TrackingLog, checkpoints: Checkpoints): Promise<void> {
  for (let partition = 0; partition < log.partitions; partition++) {
    const end = await log.end(partition);
    while ((await checkpoints.read(partition)) !== end) await sleep(5);
  }
}

export function project(log: TrackingLog, pool: Pool, overrides: Partial<ProjectorOptions> = {}): Projecting {
  const stopping = new AbortController();
  const checkpoints = new Checkpoints(pool, overrides.projections ?? CATALOG);
  const version = (overrides.projections ?? CATALOG)[0]!.version;
  const telemetry = overrides.telemetry ?? new ProjectionsTelemetry(new Telemetry('silent'));
  const options: ProjectorOptions = {
    log,
    pool,
    checkpoints,
    projections: CATALOG,
    interpret: createInterpreter(),
    sites: null,
    deleted: new Set(),
    read: sessionReader(pool, { sessions: `sessions_v${version}`, waiting: `waiting_v${version}` }),
    telemetry,
    halted: new HaltedPartitions(telemetry),
    haltedLookMs: 50,
    flushEventsMax: 50_000,
    flushIntervalMs: 20,
    eventsInMemoryMax: () => 50_000,
    recheck: async () => {},
    budget: new EventBudget(3 * (overrides.flushEventsMax ?? 50_000)),
    ...overrides,
  };
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const running = partitions.map((partition) =>
    new PartitionProjector({ partition, version }, options).project(stopping.signal),
  );
  return {
    caughtUp: () => caughtUp(log, checkpoints),
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
