// The archive: objects in a store, and the manifests that say which of them count.
import { createHash } from 'node:crypto';
import type { TrackedEvent } from '../events/tracked-event.js';
import type { Partition, Position, RecordedBatch } from '../tracking-log/tracking-log.js';
import type { ArchiveStore } from './archive-store.js';
import type { Manifest, Manifests } from './manifest.js';
import { prefixOf, type Segment } from './segment.js';
import { readSegment } from './segment-reader.js';

/** Of a batch's events those that may still be seen: what an erasure took away is in no answer. */
export type KeepEvents = (events: readonly TrackedEvent[]) => readonly TrackedEvent[];

const MANIFEST_FORMAT = 1;

/** An object is not what was written. */
export class DamagedSegmentError extends Error {
  override readonly name = 'DamagedSegmentError';
  constructor({ object, partition, after, last }: Segment, what: string) {
    super(
      `The archive's object ${object} is damaged: ${what}. It holds partition ${partition} after position ` +
        `${after ?? 'null'} up to ${last}. Restore it from a copy of the store; if the tracking log still holds these ` +
        'positions, it can be archived again: docs/reference/archive.md, "A damaged segment".',
    );
  }
}

/** What the archive tells those who read it without us. */
export interface PublishedManifest extends Manifest {
  readonly format: number;
}

export interface ArchiveOptions {
  readonly store: ArchiveStore;
  readonly manifests: Manifests;
  /** Absent: all of them. */
  readonly keep?: KeepEvents;
}

export class Archive {
  readonly store: ArchiveStore;
  readonly manifests: Manifests;
  readonly keep: KeepEvents;

  constructor({ store, manifests, keep = (events) => events }: ArchiveOptions) {
    this.store = store;
    this.manifests = manifests;
    this.keep = keep;
  }

  /**
   * Its batches, without what may no longer be seen. A batch of which nothing is left may have no events, or
   * be absent, unless it is the last: so a reader always gets as far as the segment does.
   * @throws DamagedSegmentError; MissingObjectError
   */
  async *read(segment: Segment, signal?: AbortSignal): AsyncGenerator<RecordedBatch, void, undefined> {
    const bytes = await this.store.get(segment.object, signal);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== segment.sha256) {
      throw new DamagedSegmentError(
        segment,
        `it has ${bytes.length} bytes with SHA-256 ${sha256} instead of ${segment.bytes} with ${segment.sha256}`,
      );
    }
    let last: Position | null = null;
    for await (const batch of readSegment(bytes)) {
      last = batch.position;
      yield this.kept(batch);
    }
    if (last !== segment.last)
      yield { position: segment.last, appendedAt: segment.lastAppendedAt, events: [] };
  }

  /** The batch without what may no longer be seen. */
  kept(batch: RecordedBatch): RecordedBatch {
    const events = this.keep(batch.events);
    return events.length === batch.events.length ? batch : { ...batch, events };
  }

  /** A copy of the manifest beside the segments, for who reads the archive without the database. */
  async publish(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    const published: PublishedManifest = { format: MANIFEST_FORMAT, ...manifest };
    const text = `${JSON.stringify(published, null, 2)}\n`;
    await this.store.put(manifestNameOf(manifest.partition), Buffer.from(text), signal);
  }
}

export const manifestNameOf = (partition: Partition): string => `${prefixOf(partition)}manifest.json`;
