// Keeps one version of the read models current with one partition of the log, from nothing where it is
// being rebuilt, else from its checkpoint.
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import type { RebuildSource } from '../../events/read-models.events.js';
import { EventStore } from '../../event-store/event-store.js';
import { Permits } from '../../tracking-log/permits.js';
import { type Partition, TrackingLog } from '../../tracking-log/tracking-log.js';
import { DeletedSites } from '../auth/deletion/deleted-sites.js';
import { readSites } from '../auth/directories/read-sites.js';
import { sessions } from './catalog/sessions.projection.js';
import { waiting } from './catalog/waiting.projection.js';
import { Checkpoints } from './checkpoint.js';
import { Clusterer, CLUSTERING_PARTITION } from './clustering/clusterer.js';
import { siteZones } from './compare/site-zones.js';
import { projectionsOf } from './definition.js';
import { EventBudget } from './event-budget.js';
import type { FedVersion } from './fed-versions.js';
import type { Feed } from './feed.js';
import { HaltedPartitions } from './halted-partitions.js';
import type { Interpret } from './interpret/interpret.js';
import { ReadModelsDirectory } from './lifecycle/read-models.directory.js';
import { tableOf } from './projection.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { PartitionProjector } from './projector.js';
import { type IndexOptions, indexWhenWritten } from './rebuild/indexes.js';
import { decideRanges, isOfSomeDays } from './rebuild/range-bounds.js';
import { BuildFailedError, buildInProcess } from './rebuild/rebuild-process.js';
import { RebuildProgress } from './rebuild/rebuild-progress.js';
import { RebuildSteward } from './rebuild/rebuild-steward.js';
import { sessionReader } from './session-reader.js';

/** What mends a halted partition is work of minutes, by hand. */
const HALTED_LOOK_MS = 60_000;
const RETRY_DELAY_MIN_MS = 500;
const RETRY_DELAY_MAX_MS = 10_000;

export interface FeedOrder {
  readonly partition: Partition;
  readonly fed: FedVersion;
  readonly signal: AbortSignal;
  /** See AssignedPartition. */
  readonly recheck: () => Promise<void>;
}

type Rebuilding = FedVersion & { readonly source: RebuildSource };

@Injectable()
export class Feeder {
  readonly #interpreters = new Map<number, Interpret>();
  readonly #budget: EventBudget;
  readonly #permits: Permits;
  readonly #progress: RebuildProgress;
  readonly #indexing = new Map<number, Promise<boolean>>();
  #feeds = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly pool: Pool,
    private readonly log: TrackingLog,
    private readonly directory: ReadModelsDirectory,
    private readonly steward: RebuildSteward,
    private readonly telemetry: ProjectionsTelemetry,
    private readonly halted: HaltedPartitions,
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly clusterer: Clusterer,
    private readonly deleted: DeletedSites,
  ) {
    // One run is gathered, one folded, one commits.
    this.#budget = new EventBudget(3 * config.PROJECTOR_FLUSH_EVENTS_MAX);
    this.#permits = new Permits(config.REBUILD_PARTITIONS_AT_ONCE);
    this.#progress = new RebuildProgress(pool);
  }

  /** Until the signal, or until the version cannot be built; never throws. */
  async feed({ partition, fed, signal, recheck }: FeedOrder): Promise<void> {
    const feed = { partition, version: fed.version };
    if (fed.source !== null && !(await this.#rebuilt(feed, { ...fed, source: fed.source }, signal))) return;
    if (signal.aborted) return;
    this.#feeds++;
    const clustering =
      partition === CLUSTERING_PARTITION ? this.clusterer.follow(fed.version, signal) : undefined;
    try {
      await this.#projectorOf(feed, fed, recheck).project(signal);
      await clustering;
    } finally {
      this.#feeds--;
    }
  }

  /** Settles when the version is built; false when it is not to be gone on with. */
  async #rebuilt(feed: Feed, fed: Rebuilding, signal: AbortSignal): Promise<boolean> {
    let delayMs = RETRY_DELAY_MIN_MS;
    while (!signal.aborted) {
      try {
        await this.#build(feed, fed, signal);
        return !signal.aborted;
      } catch (error) {
        await this.#say(feed, error);
        await sleep(delayMs, undefined, { signal }).catch(() => {});
        delayMs = Math.min(delayMs * 2, RETRY_DELAY_MAX_MS);
      }
    }
    return false;
  }

  async #build(
    feed: Feed,
    { version, definition, source, scope }: Rebuilding,
    signal: AbortSignal,
  ): Promise<void> {
    const { pool, log } = this;
    const progress = this.#progress;
    const isWritten = (await progress.find(feed))?.phase === 'following';
    if (!isWritten) {
      const databaseUrl = pool.options.connectionString!;
      const basis = scope?.basis ?? this.directory.state.serving.at(-1)!;
      if (scope !== null && isOfSomeDays(scope)) {
        await decideRanges(pool, { version, scope }, async () => siteZones(await readSites(this.eventStore)));
      }
      const order = { feed, definition: definition.number, databaseUrl, source, basis, scope };
      // Told as late as can be: what is deleted after that is erased when all is written (auth/deletion/).
      await this.#permits.with(() => buildInProcess({ ...order, deleted: this.deleted.list() }, signal));
    }
    const projections = projectionsOf(definition, version);
    const indexing = { pool, progress, projections, version, partitions: log.partitions };
    while (!signal.aborted && !(await this.#indexedOnce(indexing, signal)));
  }

  /** One of the partitions does it for all: each would wait on a connection of its own. */
  #indexedOnce(options: IndexOptions, signal: AbortSignal): Promise<boolean> {
    const known = this.#indexing.get(options.version);
    if (known !== undefined) return known;
    const indexing = indexWhenWritten(options, signal).finally(() => this.#indexing.delete(options.version));
    this.#indexing.set(options.version, indexing);
    return indexing;
  }

  async #say(feed: Feed, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    this.telemetry.partitionRestarted(feed, reason);
    const telling =
      error instanceof BuildFailedError
        ? this.steward.fail(feed.version, `Partition ${feed.partition}: ${reason}`)
        : this.#progress.failing(feed, reason);
    // The database may be what is away: it is tried and told again.
    await telling.catch(() => {});
  }

  #projectorOf(
    feed: Feed,
    { version, definition, scope }: FedVersion,
    recheck: () => Promise<void>,
  ): PartitionProjector {
    const { config, pool, log, telemetry, halted } = this;
    const projections = projectionsOf(definition, version);
    return new PartitionProjector(feed, {
      log,
      pool,
      telemetry,
      halted,
      haltedLookMs: HALTED_LOOK_MS,
      checkpoints: new Checkpoints(pool, projections),
      projections,
      interpret: this.#interpreterOf(definition),
      sites: scope?.sites ? new Set(scope.sites) : null,
      deleted: this.deleted,
      read: sessionReader(pool, {
        sessions: tableOf({ name: sessions.name, version }),
        waiting: tableOf({ name: waiting.name, version }),
      }),
      flushEventsMax: config.PROJECTOR_FLUSH_EVENTS_MAX,
      flushIntervalMs: config.PROJECTOR_FLUSH_INTERVAL_MS,
      budget: this.#budget,
      // The fewer partitions this process has, the more of each it remembers.
      eventsInMemoryMax: () => Math.ceil(config.PROJECTOR_EVENTS_IN_MEMORY_MAX / Math.max(1, this.#feeds)),
      recheck,
    });
  }

  /** One for all partitions: what it remembers is good for all. */
  #interpreterOf(definition: FedVersion['definition']): Interpret {
    const known = this.#interpreters.get(definition.number);
    if (known !== undefined) return known;
    const interpret = definition.createInterpreter();
    this.#interpreters.set(definition.number, interpret);
    return interpret;
  }
}
