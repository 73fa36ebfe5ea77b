// The log as far back as archive and log together reach: archived segments first, then the log from the
// position after them, without gap or overlap, also where the log has lost what is archived. Segments that are
// merged while they are read are found again by position.
import {
  type Partition,
  type Position,
  type ReadOptions,
  type RecordedBatch,
  type TrackingLog,
  TruncatedLogError,
} from '../tracking-log/tracking-log.js';
import { MissingObjectError } from './archive-store.js';
import type { Archive } from './archive.js';
import type { Segment } from './segment.js';

/** An object that the manifest names and the store does not have: asked for again so often with a new manifest. */
const MISSING_MAX = 5;

type Batches = AsyncGenerator<RecordedBatch, void, undefined>;

export class ArchivedLog implements Pick<TrackingLog, 'read'> {
  /** @param archive null: there is none, and the log is all there is */
  constructor(
    private readonly archive: Archive | null,
    private readonly log: Pick<TrackingLog, 'read' | 'compare'>,
  ) {}

  /**
   * As TrackingLog.read, but that a batch may come without events, where they were erased.
   * @throws TruncatedLogError where neither of the two has what comes next; DamagedSegmentError
   */
  async *read(partition: Partition, after: Position | null, options: ReadOptions): Batches {
    if (this.archive === null) {
      yield* this.log.read(partition, after, options);
      return;
    }
    let position = after;
    for await (const batch of this.#archived(this.archive, { partition, after, options })) {
      position = batch.position;
      yield batch;
    }
    for await (const batch of this.log.read(partition, position, options)) yield this.archive.kept(batch);
  }

  async *#archived(
    archive: Archive,
    { partition, after, options }: { partition: Partition; after: Position | null; options: ReadOptions },
  ): Batches {
    let position = after;
    let missing = 0;
    for (;;) {
      const { segments } = await archive.manifests.read(partition);
      const segment = await this.#next(segments, position);
      if (segment === undefined || options.signal?.aborted) return;
      try {
        for await (const batch of archive.read(segment, options.signal)) {
          if (options.signal?.aborted) return;
          if (position !== null && this.log.compare(batch.position, position) <= 0) continue;
          position = batch.position;
          yield batch;
        }
        missing = 0;
      } catch (error) {
        if (options.signal?.aborted) return;
        // Merged or past its retention since the manifest was read: a new one says what became of it.
        if (!(error instanceof MissingObjectError) || ++missing >= MISSING_MAX) throw error;
      }
    }
  }

  /** The segment with the batch after `position`; undefined when it is the log that has it, or nobody. */
  async #next(segments: readonly Segment[], position: Position | null): Promise<Segment | undefined> {
    const index = segments.findIndex(({ last }) => position === null || this.log.compare(last, position) > 0);
    const segment = segments[index];
    if (segment === undefined || (index === 0 && segment.after === null)) return segment;
    const { after, first, partition } = segment;
    if (position === null)
      return after !== null && (await this.#logHolds(partition, after)) ? undefined : segment;
    // Inside the segment, or at its edge.
    const isCovered =
      this.log.compare(first, position) <= 0 || (after !== null && this.log.compare(after, position) <= 0);
    if (isCovered) return segment;
    if (index === 0) return undefined;
    throw new TruncatedLogError(
      `The archive of partition ${partition} has a gap: nothing between ${segments[index - 1]!.last} and ${first}, ` +
        'which the log had lost before it was archived',
    );
  }

  /** Whether the log begins at this position or before: it may be kept for longer than the archive. */
  async #logHolds(partition: Partition, position: Position): Promise<boolean> {
    for await (const first of this.log.read(partition, null, { follow: false })) {
      return this.log.compare(first.position, position) <= 0;
    }
    return false;
  }
}
