// Rebuilds a log into a version of the read models as the projector role does, without the rest of the
// process; and drops that version again.
import type { Pool } from 'pg';
import type { EventStore } from '../src/event-store/event-store.js';
import type { RebuildScope } from '../src/events/read-models.events.js';
import { DEFINITIONS } from '../src/modules/projections/catalog/catalog.js';
import type { SiteZones } from '../src/modules/projections/compare/site-zones.js';
import { projectionsOf } from '../src/modules/projections/definition.js';
import type { Interpret } from '../src/modules/projections/interpret/interpret.js';
import { READ_MODELS_STREAM } from '../src/modules/projections/lifecycle/read-models.aggregate.js';
import { dropReadModelTables } from '../src/modules/projections/read-model-tables.js';
import { indexWhenWritten } from '../src/modules/projections/rebuild/indexes.js';
import { Pace } from '../src/modules/projections/rebuild/pace.js';
import { PartitionRebuild } from '../src/modules/projections/rebuild/partition-rebuild.js';
import { partitionSize } from '../src/modules/projections/rebuild/partition-size.js';
import { decideRanges, isOfSomeDays, readRanges } from '../src/modules/projections/rebuild/range-bounds.js';
import { RebuildProgress } from '../src/modules/projections/rebuild/rebuild-progress.js';
import type { TrackingLog } from '../src/tracking-log/tracking-log.js';

export interface RebuildOptions {
  readonly version: number;
  readonly directory: string;
  readonly bucketEventsMax: number;
  readonly interpret?: Interpret;
  readonly signal?: AbortSignal;
  readonly scope?: RebuildScope;
  readonly deleted?: readonly string[];
  /** Of sites that do not count their days by UTC. */
  readonly zones?: SiteZones;
}

const EVERYTHING: RebuildScope = { sites: null, from: null, to: null };
const UTC: SiteZones = { sites: [], zones: [] };

const definition = DEFINITIONS.at(-1)!;
/** The version that answers. */
const BASIS = 1;

/** Settles when every partition can be projected as ever, or early after the signal. */
export async function rebuild(log: TrackingLog, pool: Pool, options: RebuildOptions): Promise<void> {
  const { version, directory, bucketEventsMax, signal = new AbortController().signal } = options;
  const progress = new RebuildProgress(pool);
  const projections = projectionsOf(definition, version);
  const interpret = options.interpret ?? definition.createInterpreter();
  const { scope = EVERYTHING, zones = UTC } = options;
  if (isOfSomeDays(scope)) await decideRanges(pool, { version, scope }, async () => zones);
  const ranges = isOfSomeDays(scope) ? await readRanges(pool, version) : null;
  const { sites } = scope;
  const measured = { name: 'traffic', version: BASIS };
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  await Promise.all(
    partitions.map((partition) =>
      new PartitionRebuild(
        { partition, version },
        {
          log,
          pool,
          progress,
          projections,
          interpret,
          directory,
          bucketEventsMax,
          pace: new Pace(null),
          basis: BASIS,
          sites,
          deleted: options.deleted ?? [],
          ranges,
          sizeOf: (of) => partitionSize(pool, measured, { partition: of, bucketEventsMax, sites, ranges }),
        },
      ).build(signal),
    ),
  );
  await indexWhenWritten({ pool, progress, projections, version, partitions: log.partitions }, signal);
}

/** Says of a version that its rebuild has caught up, as the commands and the projectors do. */
export async function caughtUpVersion(eventStore: EventStore, version: number): Promise<void> {
  const rebuild = `rebuild-of-${version}`;
  const requested = {
    ...{ rebuild, projection: 'sessions', version, definition: definition.number, source: 'log' },
    scope: { sites: null, from: null, to: null },
    basis: 1,
  };
  await eventStore.append(
    READ_MODELS_STREAM,
    [
      { type: 'RebuildRequested', data: requested },
      { type: 'RebuildStarted', data: { rebuild } },
      { type: 'RebuildCaughtUp', data: { rebuild } },
    ],
    'any',
  );
}

export async function dropVersion(pool: Pool, version: number): Promise<void> {
  await dropReadModelTables(pool, projectionsOf(definition, version));
  await pool.query('DELETE FROM rebuild_partitions WHERE version = $1', [version]);
  await pool.query('DELETE FROM rebuild_bounds WHERE version = $1', [version]);
  await pool.query('DELETE FROM clustered_days WHERE version = $1', [version]);
  await pool.query('DELETE FROM checkpoints WHERE version = $1', [version]);
}
