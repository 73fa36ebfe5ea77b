// The program of a process that builds partitions of versions, one after another: what it is told by the
// process that started it, what it answers. It ends with that process, and after whatever went wrong.
import { join } from 'node:path';
import { Pool } from 'pg';
import { Archive } from '../../../archive/archive.js';
import { ArchivedLog } from '../../../archive/archived-log.js';
import { Manifests } from '../../../archive/manifest.js';
import { openArchiveStore } from '../../../archive/open-archive-store.js';
import { type Config, readConfig } from '../../../config/config.js';
import type { RebuildScope, RebuildSource } from '../../../events/read-models.events.js';
import { armFailpoint } from '../../../telemetry/failpoint.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { TrackingLog } from '../../../tracking-log/tracking-log.js';
import { openTrackingLog } from '../../../tracking-log/tracking-log.module.js';
import { DEFINITIONS } from '../catalog/catalog.js';
import { traffic } from '../catalog/traffic.projection.js';
import { projectionsOf } from '../definition.js';
import type { Feed } from '../feed.js';
import { isTransient } from '../projector.js';
import { REBUILD_DIRECTORY } from './bucket-file.js';
import type { Ranges } from './build-scope.js';
import { Pace } from './pace.js';
import { PartitionRebuild, type PartitionRebuildOptions, RebuildLostError } from './partition-rebuild.js';
import { partitionSize } from './partition-size.js';
import { isOfSomeDays, readRanges } from './range-bounds.js';
import { RebuildProgress } from './rebuild-progress.js';

const POOL_CONNECTIONS_MAX = 3;
const STATEMENT_TIMEOUT_MS = 60_000;

export interface BuildOrder {
  readonly feed: Feed;
  /** Number of the definition. */
  readonly definition: number;
  /** The version that answers now: it tells how much there will be, and days that are not built are copied from it. */
  readonly basis: number;
  /** Null: everything. Between which instants its days lie has been decided. */
  readonly scope: RebuildScope | null;
  /** Sites that had been deleted when the order was given: their events are left out. */
  readonly deleted: readonly string[];
  readonly databaseUrl: string;
  readonly source: RebuildSource;
}

export type OrderMessage = { readonly build: BuildOrder } | { readonly stop: true };

export type BuildAnswer =
  | { readonly outcome: 'built' | 'stopped' }
  /** `passing`: later it may go on. */
  | { readonly outcome: 'failed'; readonly reason: string; readonly passing: boolean };

export function runRebuildProgram(): void {
  const stopping = new AbortController();
  let building = false;
  // Whoever presses Ctrl-C means the process that started this one; that one tells.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit(1));
  if (!process.connected) process.exit(1);
  const answer = (said: BuildAnswer): void => {
    building = false;
    const goesOn = said.outcome === 'built' && !stopping.signal.aborted;
    process.send!(said, () => goesOn || process.disconnect());
  };
  process.on('message', (message: OrderMessage) => {
    if ('stop' in message) {
      stopping.abort();
      if (!building) process.disconnect();
      return;
    }
    building = true;
    void build(message.build, stopping.signal).then(answer);
  });
}

async function build(order: BuildOrder, signal: AbortSignal): Promise<BuildAnswer> {
  const config = readConfig();
  if (config.FAILPOINT) armFailpoint(config.FAILPOINT.name, config.FAILPOINT.passes);
  const pool = new Pool({
    connectionString: order.databaseUrl,
    application_name: 'tidemark-rebuild',
    max: POOL_CONNECTIONS_MAX,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => undefined));
  let log: TrackingLog | undefined;
  try {
    log = await openTrackingLog(config, new Telemetry(config.LOG_LEVEL));
    const source = order.source === 'log' ? log : await withArchive(log, { config, pool });
    const ranges = await rangesOf(order, pool);
    await partitionRebuild({ order, config, pool, log: source, ranges }).build(signal);
    return { outcome: signal.aborted ? 'stopped' : 'built' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      outcome: 'failed',
      reason,
      passing: error instanceof RebuildLostError || isTransient(error),
    };
  } finally {
    await log?.close();
    await pool.end();
  }
}

interface Parts {
  readonly order: BuildOrder;
  readonly config: Config;
  readonly pool: Pool;
  readonly log: PartitionRebuildOptions['log'];
  readonly ranges: Ranges | null;
}

async function rangesOf({ feed, scope }: BuildOrder, pool: Pool): Promise<Ranges | null> {
  if (scope === null || !isOfSomeDays(scope)) return null;
  const ranges = await readRanges(pool, feed.version);
  if (ranges === null) throw new Error('Nobody has decided between which instants the days lie');
  return ranges;
}

async function withArchive(
  log: TrackingLog,
  { config, pool }: Pick<Parts, 'config' | 'pool'>,
): Promise<Parts['log']> {
  if (config.ARCHIVE_URL === undefined) {
    throw new Error(
      'This projector has no archive to rebuild from: set ARCHIVE_URL, or rebuild from the log',
    );
  }
  const store = await openArchiveStore(config.ARCHIVE_URL, config);
  const archived = new ArchivedLog(new Archive({ store, manifests: new Manifests(pool) }), log);
  return {
    read: (partition, after, options) => archived.read(partition, after, options),
    end: (partition) => log.end(partition),
    // Where the archive has an event does not tell when it was received.
    findByTime: async () => null,
    compare: (a, b) => log.compare(a, b),
  };
}

function partitionRebuild({ order, config, pool, log, ranges }: Parts): PartitionRebuild {
  const definition = DEFINITIONS.find(({ number }) => number === order.definition);
  if (definition === undefined) throw new Error(`This program has no definition ${order.definition}`);
  const bucketEventsMax = config.REBUILD_BUCKET_EVENTS_MAX;
  const { basis } = order;
  const sites = order.scope?.sites ?? null;
  const measured = { name: traffic.name, version: basis };
  return new PartitionRebuild(order.feed, {
    log,
    pool,
    progress: new RebuildProgress(pool),
    projections: projectionsOf(definition, order.feed.version),
    interpret: definition.createInterpreter(),
    directory: join(config.DATA_DIR, REBUILD_DIRECTORY),
    bucketEventsMax,
    pace: new Pace(
      config.REBUILD_EVENTS_PER_SECOND_MAX
        ? config.REBUILD_EVENTS_PER_SECOND_MAX / config.REBUILD_PARTITIONS_AT_ONCE
        : null,
    ),
    basis,
    sites,
    deleted: order.deleted,
    ranges,
    sizeOf: (partition) => partitionSize(pool, measured, { partition, bucketEventsMax, sites, ranges }),
  });
}
