// One partition of a rebuild, from the beginning of the log to where it can be projected as ever: sort
// what the log holds into buckets on disk, then write bucket after bucket as rows without indexes. Where
// only some days are built, all others are copied first, and counters are counted last.
// Whatever fails, it goes on from where it stands; whoever takes the partition over sorts again and
// writes the buckets that are left.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { failpoint } from '../../../telemetry/failpoint.js';
import { copySlice, type EventSlice, sliceEvents } from '../../../tracking-log/batch-slices.js';
import type { Position, RecordedSlices, TrackingLog } from '../../../tracking-log/tracking-log.js';
import { Breathing } from '../breathing.js';
import { Committer } from '../commit.js';
import type { Feed } from '../feed.js';
import type { Interpret } from '../interpret/interpret.js';
import { sessions } from '../catalog/sessions.projection.js';
import { waiting } from '../catalog/waiting.projection.js';
import { type Projection, tableOf } from '../projection.js';
import { createBulkTables } from '../read-model-tables.js';
import { assemble } from './assemble.js';
import { BucketFile, bucketFileName } from './bucket-file.js';
import { bucketChooser, type BucketPlan, type PartitionSize, planBuckets } from './bucket-plan.js';
import { type Ranges, rowsWithin, spanOf, wantedEvents } from './build-scope.js';
import { beginWithCopies } from './copied-rows.js';
import { Edge } from './edge.js';
import { LinkedVisitors } from './linked-visitors.js';
import type { Pace } from './pace.js';
import type { PartitionProgress, RebuildProgress } from './rebuild-progress.js';
import { recount } from './recount.js';

/** So much is sorted in memory before it is written. */
const MARK_BYTES = 16 * 1_048_576;
const MARK_INTERVAL_MS = 2_000;
/** Longer than live: on a busy machine a niced process gets little time. */
const HANG_MS_MAX = 30_000;
/** What is needed of some days was received at most so long before them. */
const READ_BEFORE_MS = 48 * 3_600_000;

export interface PartitionRebuildOptions {
  /** What it is read from, in slices where it has them; the end is the log's own. */
  readonly log: Pick<TrackingLog, 'read' | 'end' | 'findByTime' | 'compare'> &
    Partial<Pick<TrackingLog, 'readSlices'>>;
  readonly pool: Pool;
  readonly progress: RebuildProgress;
  readonly projections: readonly Projection[];
  readonly interpret: Interpret;
  /** For the bucket files; may be emptied between runs. */
  readonly directory: string;
  readonly bucketEventsMax: number;
  readonly pace: Pace;
  /** The version that answers: what is not built is copied from it. */
  readonly basis: number;
  /** Whose events are built; null: all. */
  readonly sites: readonly string[] | null;
  /** Whose events are left out. */
  readonly deleted: readonly string[];
  /** Which of their days; null: all. */
  readonly ranges: Ranges | null;
  /** How much there will be, as that version knows it. */
  readonly sizeOf: (partition: number) => Promise<PartitionSize>;
}

/** Another process has gone on with this partition. */
export class RebuildLostError extends Error {
  override readonly name = 'RebuildLostError';
}

export class PartitionRebuild {
  readonly #committer: Committer;

  constructor(
    private readonly feed: Feed,
    private readonly options: PartitionRebuildOptions,
  ) {
    this.#committer = new Committer(options.pool, options.projections, HANG_MS_MAX);
  }

  /**
   * Settles when the rows of this partition are written, or early after the signal. May be called again.
   * @throws PoisonEventError, RebuildLostError, or whatever kept it from going on
   */
  async build(signal: AbortSignal): Promise<void> {
    const { pool, projections, progress } = this.options;
    const before = await progress.find(this.feed);
    if (before?.phase === 'following' || signal.aborted) return;
    this.#committer.reset();
    await createBulkTables(pool, projections);
    const { plan, phase, step } = before ?? (await this.#begin());
    const file = await this.#openFile();
    try {
      await this.#sort(file, plan, signal);
      if (signal.aborted) return;
      if (phase === 'sorting') await progress.startWriting(this.feed, file.events);
      await this.#write(file, { plan, step }, signal);
      if (signal.aborted) return;
      await progress.finish(this.feed, projections);
      await file.delete();
    } finally {
      await file.close();
    }
  }

  async #begin(): Promise<PartitionProgress> {
    const { log, pool, progress, sizeOf, bucketEventsMax, projections, basis, sites, ranges } = this.options;
    const { feed } = this;
    const size = await sizeOf(feed.partition);
    const begun = (client: Pick<PoolClient, 'query'>, end: Position | null): Promise<boolean> =>
      progress.begin(client, feed, {
        plan: planBuckets(end, size, bucketEventsMax),
        eventsExpected: size.events,
      });
    if (ranges === null) await begun(pool, await log.end(feed.partition));
    else await beginWithCopies({ pool, feed, projections, basis, sites, ranges }, begun);
    return (await progress.find(feed))!;
  }

  async #openFile(): Promise<BucketFile> {
    const { directory } = this.options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return BucketFile.open(join(directory, bucketFileName(this.feed)));
  }

  /** Reads the log up to the plan's end. */
  async #sort(file: BucketFile, plan: BucketPlan, signal: AbortSignal): Promise<void> {
    const { log, pace, sites, deleted, ranges } = this.options;
    const { end } = plan;
    if (end === null || file.position === end) return;
    const isWanted = wantedEvents({ sites, deleted }, ranges);
    const start = file.position ?? (await this.#firstPosition());
    const bucketOf = bucketChooser(plan);
    const breathing = new Breathing();
    let markedAt = performance.now();
    let last: Position | null = null;
    /** What has been sorted is written while more is being sorted. */
    let marking: Promise<void> | undefined;
    for await (const batch of this.#read(start, signal)) {
      if (log.compare(batch.position, end) > 0) break;
      for (const event of batch.events) {
        if (isWanted !== null && !isWanted(event)) continue;
        file.add(bucketOf(event), event);
        if (event.previousVisitor !== undefined) file.link(event.visitor, event.previousVisitor);
      }
      last = batch.position;
      await pace.spend(batch.events.length / 2);
      if (file.pendingBytes > MARK_BYTES || performance.now() - markedAt > MARK_INTERVAL_MS) {
        await marking;
        marking = this.#mark(file, last);
        // Awaited before the next one; nobody must call its failure unhandled until then.
        marking.catch(() => undefined);
        markedAt = performance.now();
      }
      if (breathing.needed()) await breathing.breathe();
    }
    await marking;
    if (!signal.aborted && last !== null) await this.#mark(file, last);
  }

  async *#read(after: Position | null, signal: AbortSignal): AsyncGenerator<RecordedSlices> {
    const { log } = this.options;
    const { partition } = this.feed;
    const options = { follow: false, signal };
    if (log.readSlices !== undefined) yield* log.readSlices(partition, after, options);
    else {
      for await (const { position, events } of log.read(partition, after, options)) {
        yield { position, events: sliceEvents(events) };
      }
    }
  }

  /** After which the log holds what is needed. */
  async #firstPosition(): Promise<Position | null> {
    const { log, ranges } = this.options;
    const from = ranges === null ? Number.NEGATIVE_INFINITY : spanOf(ranges).from;
    if (!Number.isFinite(from)) return null;
    return log.findByTime(this.feed.partition, new Date(from - READ_BEFORE_MS));
  }

  async #mark(file: BucketFile, position: Position): Promise<void> {
    await file.mark(position);
    failpoint('rebuild.sorted');
    await this.options.progress.sorted(this.feed, position, file.events);
  }

  /** The buckets in order, then in as many parts as needed the visitors whose ids are linked across buckets. */
  async #write(
    file: BucketFile,
    { plan, step: from }: Pick<PartitionProgress, 'plan' | 'step'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { bucketEventsMax, ranges } = this.options;
    const edge = ranges && (await this.#edgeOf(ranges));
    const links = [...file.links, ...(edge?.links ?? [])];
    const linked = new LinkedVisitors(plan.wideSites.length > 0 ? links : []);
    const parts = Math.ceil(linked.size / bucketEventsMax);
    const wide = new Set(plan.wideSites);
    const isLinked = ({ site, visitor }: EventSlice) => wide.has(site) && linked.has(visitor);
    for (let step = from; step < plan.buckets + parts; step++) {
      if (signal.aborted) return;
      const part = step - plan.buckets;
      const events =
        part < 0
          ? only(file.read(step), (event) => !isLinked(event))
          : onlyFew(
              everything(file, plan),
              (event) => isLinked(event) && linked.partOf(event.visitor, parts) === part,
            );
      await this.#writeStep(step, events, edge);
    }
    const last = plan.buckets + parts;
    if (ranges !== null && from <= last) await this.#recount(last, ranges, signal);
  }

  #edgeOf(ranges: Ranges): Promise<Edge> {
    const { version, partition } = this.feed;
    const tables = {
      sessions: tableOf({ name: sessions.name, version }),
      waiting: tableOf({ name: waiting.name, version }),
    };
    return Edge.read(this.options.pool, { partition, tables, ranges });
  }

  async #writeStep(
    step: number,
    batches: AsyncIterable<readonly EventSlice[]>,
    edge: Edge | null,
  ): Promise<void> {
    const { interpret, pace, progress } = this.options;
    const { partition } = this.feed;
    const projections =
      edge === null ? this.options.projections : rowsWithin(this.options.projections, edge.ranges);
    const { flush, events } = await assemble(batches, { partition, projections, interpret, edge });
    failpoint('rebuild.before-commit');
    const outcome = await this.#committer.commit({
      partition,
      advance: (client) => progress.wrote(client, this.feed, { step, events }),
      flush,
      deadLetters: [],
      mode: 'real',
    });
    if (outcome === 'partition-lost') throw this.#lost();
    failpoint('rebuild.after-commit');
    flush.release();
    await pace.spend(events / 2);
  }

  async #recount(step: number, ranges: Ranges, signal: AbortSignal): Promise<void> {
    const { pool, projections, progress, bucketEventsMax, basis } = this.options;
    const { partition, version } = this.feed;
    failpoint('rebuild.before-commit');
    const outcome = await recount({
      ...{ pool, partition, projections, ranges, signal },
      sessions: tableOf({ name: sessions.name, version }),
      basisSessions: tableOf({ name: sessions.name, version: basis }),
      eventsMax: bucketEventsMax,
      hangMsMax: HANG_MS_MAX,
      advance: (client) => progress.wrote(client, this.feed, { step, events: 0 }),
    });
    if (outcome === 'partition-lost') throw this.#lost();
    failpoint('rebuild.after-commit');
  }

  #lost(): RebuildLostError {
    return new RebuildLostError(
      `Partition ${this.feed.partition} of the rebuild is another process's by now`,
    );
  }
}

async function* only(
  batches: AsyncIterable<readonly EventSlice[]>,
  wanted: (event: EventSlice) => boolean,
): AsyncGenerator<readonly EventSlice[]> {
  for await (const batch of batches) yield batch.filter(wanted);
}

/** Copies, so that the rest of the file does not stay in memory with them. */
async function* onlyFew(
  batches: AsyncIterable<readonly EventSlice[]>,
  wanted: (event: EventSlice) => boolean,
): AsyncGenerator<readonly EventSlice[]> {
  for await (const batch of only(batches, wanted)) yield batch.map(copySlice);
}

async function* everything(file: BucketFile, { buckets }: BucketPlan): AsyncGenerator<readonly EventSlice[]> {
  for (let bucket = 0; bucket < buckets; bucket++) yield* file.read(bucket);
}
