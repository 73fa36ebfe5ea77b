// How far versions and rebuilds have come, for people: from checkpoints, progress and the ends of the
// log as the projectors last saw them.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { DEFINITIONS } from '../catalog/catalog.js';
import type { PartitionProgress } from '../rebuild/rebuild-progress.js';
import { RebuildProgress } from '../rebuild/rebuild-progress.js';
import type { ProjectionAnswer, VersionAnswer, VersionPartitionAnswer } from './projection.dto.js';
import type { Rebuild, Version } from './read-models.aggregate.js';
import { ReadModelsDirectory } from './read-models.directory.js';
import type { RebuildAnswer, RebuildPartitionAnswer } from './rebuild.dto.js';

/** The rate is that of the last half minute. */
const RATE_SPAN_MS = 30_000;
const RATES_MAX = 100;

interface Standing {
  readonly projection: string;
  readonly version: number;
  readonly partition: number;
  readonly position: string | null;
  readonly watermark: Date | null;
  readonly events: string;
}

interface Sample {
  readonly at: number;
  readonly events: number;
}

@Injectable()
export class ProgressReport {
  readonly #progress: RebuildProgress;
  readonly #samples = new Map<string, Sample[]>();

  constructor(
    private readonly pool: Pool,
    private readonly directory: ReadModelsDirectory,
  ) {
    this.#progress = new RebuildProgress(pool);
  }

  async projections(): Promise<readonly ProjectionAnswer[]> {
    const { state, serving } = this.directory;
    const [standing, ends] = await Promise.all([this.#standing(), this.#ends()]);
    const versions = [...state.versions.values()].toReversed();
    const newest = DEFINITIONS.at(-1)!;
    return newest.projections.map(({ name, meaning }) => ({
      name,
      meaning,
      servingVersion: serving,
      versions: versions.map((version) =>
        versionAnswer(
          version,
          standing.filter((row) => row.projection === name),
          ends,
        ),
      ),
    }));
  }

  async rebuild(rebuild: Rebuild): Promise<RebuildAnswer> {
    const [progress, ends, standing] = await Promise.all([
      this.#progress.read(rebuild.version),
      this.#ends(),
      this.#standing(),
    ]);
    const { serving } = this.directory;
    const standingOf = (of: number, at: number): Standing | undefined =>
      standing.find(
        ({ projection, version, partition }) =>
          projection === rebuild.projection && version === of && partition === at,
      );
    const partitions = [...ends].map(([partition, end]) => {
      const own = progress.find((one) => one.partition === partition);
      return own === undefined
        ? waitingAnswer({ partition, end }, standingOf(serving, partition))
        : partitionAnswer(own, end, standingOf(rebuild.version, partition));
    });
    const events = sum(partitions, (partition) => partition.events);
    const eventsExpected = Math.max(
      events,
      sum(partitions, (partition) => partition.eventsExpected),
    );
    const eventsPerSecond = rebuild.state === 'running' ? this.#rate(rebuild.id, events) : null;
    return {
      id: rebuild.id,
      projection: rebuild.projection,
      version: rebuild.version,
      definition: rebuild.definition,
      scope: rebuild.scope,
      source: rebuild.source,
      state: rebuild.state,
      ...(rebuild.error !== null && { error: rebuild.error }),
      requestedAt: rebuild.requestedAt.toISOString(),
      requestedBy: rebuild.requestedBy,
      events,
      eventsExpected,
      eventsPerSecond,
      secondsLeft: eventsPerSecond ? Math.ceil((eventsExpected - events) / eventsPerSecond) : null,
      partitions,
    };
  }

  /** Null until it has been asked for twice. */
  #rate(id: string, events: number): number | null {
    const now = Date.now();
    const samples = (this.#samples.get(id) ?? []).filter(({ at }) => now - at <= RATE_SPAN_MS);
    const [first] = samples;
    samples.push({ at: now, events });
    if (this.#samples.size >= RATES_MAX) this.#samples.clear();
    this.#samples.set(id, samples);
    if (first === undefined || now === first.at) return null;
    return Math.max(0, Math.round(((events - first.events) * 1_000) / (now - first.at)));
  }

  async #standing(): Promise<readonly Standing[]> {
    const { rows } = await this.pool.query<Standing>(
      'SELECT projection, version, partition, position, watermark, events FROM checkpoints ORDER BY partition',
    );
    return rows;
  }

  async #ends(): Promise<ReadonlyMap<number, string | null>> {
    const { rows } = await this.pool.query<{ partition: number; position: string | null }>(
      'SELECT partition, position FROM log_ends ORDER BY partition',
    );
    return new Map(rows.map(({ partition, position }) => [partition, position]));
  }
}

function versionAnswer(
  { version, definition, state, sites }: Version,
  standing: readonly Standing[],
  ends: ReadonlyMap<number, string | null>,
): VersionAnswer {
  const own = state === 'retired' ? [] : standing.filter((row) => row.version === version);
  const watermarks = own.map(({ watermark }) => watermark);
  const complete = own.length > 0 && own.length === ends.size && !watermarks.includes(null);
  const watermark = complete ? Math.min(...watermarks.map((time) => time!.getTime())) : null;
  return {
    version,
    definition,
    state,
    sites,
    fed: state !== 'retired' && state !== 'failed' && DEFINITIONS.some(({ number }) => number === definition),
    watermark: watermark === null ? null : new Date(watermark).toISOString(),
    lagMs: watermark === null ? null : Math.max(0, Date.now() - watermark),
    partitions: own.map((row) => lagOf(row, sites === null ? standing : own, ends)),
  };
}

/** The log does not say how many events it holds; the version that has come furthest does, at least. */
function lagOf(
  { partition, position, events }: Standing,
  standing: readonly Standing[],
  ends: ReadonlyMap<number, string | null>,
): VersionPartitionAnswer {
  const endPosition = ends.get(partition) ?? null;
  const furthest = Math.max(
    ...standing.filter((row) => row.partition === partition).map((row) => Number(row.events)),
  );
  const lagEvents = position === endPosition ? 0 : Math.max(1, furthest - Number(events));
  return { partition, position, endPosition, lagEvents };
}

/** As many events as the version that serves has counted there. */
function waitingAnswer(
  { partition, end }: { readonly partition: number; readonly end: string | null },
  serving: Standing | undefined,
): RebuildPartitionAnswer {
  const eventsExpected = Number(serving?.events ?? 0);
  return { partition, phase: 'waiting', position: null, endPosition: end, events: 0, eventsExpected };
}

function partitionAnswer(
  progress: PartitionProgress,
  end: string | null,
  standing: Standing | undefined,
): RebuildPartitionAnswer {
  const { partition, phase, plan, eventsSorted, eventsWritten, eventsExpected, error } = progress;
  const isFollowing = phase === 'following';
  const following = Number(standing?.events ?? eventsWritten);
  return {
    partition,
    phase,
    position: isFollowing ? (standing?.position ?? plan.end) : progress.position,
    endPosition: isFollowing ? end : plan.end,
    // Sorting is about half of the work.
    events: isFollowing ? following : Math.floor((eventsSorted + eventsWritten) / 2),
    eventsExpected: isFollowing ? following : Math.max(eventsExpected, eventsSorted),
    ...(error !== null && { error }),
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
