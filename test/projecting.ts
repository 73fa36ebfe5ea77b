// Projects a log into a database as the projector role does, without the rest of the process.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { CATALOG } from '../src/modules/projections/catalog/catalog.js';
import { Checkpoints } from '../src/modules/projections/checkpoint.js';
import { EventBudget } from '../src/modules/projections/event-budget.js';
import { createInterpreter } from '../src/modules/projections/interpret/interpret.js';
import { PartitionProjector, type ProjectorOptions } from '../src/modules/projections/projector.js';
import { ProjectionsTelemetry } from '../src/modules/projections/projections.telemetry.js';
import { sessionReader } from '../src/modules/projections/session-reader.js';
import { Telemetry } from '../src/telemetry/telemetry.js';
import { EmbeddedTrackingLog } from '../src/tracking-log/embedded.tracking-log.js';
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

export interface Projecting {
  /** Settles when everything that is in the log now is in the read models. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

export function project(log: TrackingLog, pool: Pool, overrides: Partial<ProjectorOptions> = {}): Projecting {
  const stopping = new AbortController();
  const checkpoints = new Checkpoints(pool, overrides.projections ?? CATALOG);
  const options: ProjectorOptions = {
    log,
    pool,
    checkpoints,
    projections: CATALOG,
    interpret: createInterpreter(),
    read: sessionReader(pool, { sessions: 'sessions_v1', waiting: 'waiting_v1' }),
    telemetry: new ProjectionsTelemetry(new Telemetry('silent')),
    flushEventsMax: 50_000,
    flushIntervalMs: 20,
    eventsInMemoryMax: 50_000,
    budget: new EventBudget(3 * (overrides.flushEventsMax ?? 50_000)),
    ...overrides,
  };
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const running = partitions.map((partition) =>
    new PartitionProjector(partition, options).project(stopping.signal),
  );
  return {
    async caughtUp() {
      for (const partition of partitions) {
        const end = await log.end(partition);
        while ((await checkpoints.read(partition)) !== end) await sleep(5);
      }
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
