// Archives a log as the projector role does, without the rest of the process.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Archive, type KeepEvents } from '../src/archive/archive.js';
import type { ArchiveStore } from '../src/archive/archive-store.js';
import { ArchiveTelemetry } from '../src/archive/archive.telemetry.js';
import { type ArchiverOptions, PartitionArchiver } from '../src/archive/archiver.js';
import { chooseMerge } from '../src/archive/choose-merge.js';
import { DirectoryArchiveStore } from '../src/archive/directory.archive-store.js';
import { type Manifest, Manifests } from '../src/archive/manifest.js';
import { SEGMENT_BYTES_MAX } from '../src/archive/segment-writer.js';
import { Upkeep } from '../src/archive/upkeep.js';
import { Telemetry } from '../src/telemetry/telemetry.js';
import type { Partition, Position, RecordedBatch, TrackingLog } from '../src/tracking-log/tracking-log.js';

export async function archiveIn(
  store: string | ArchiveStore,
  pool: Pool,
  keep?: KeepEvents,
): Promise<Archive> {
  const opened = typeof store === 'string' ? await DirectoryArchiveStore.open(store) : store;
  return new Archive({ store: opened, manifests: new Manifests(pool), ...(keep && { keep }) });
}

type Log = Pick<TrackingLog, 'read' | 'compare'>;

export function archiverOf(
  archive: Archive,
  log: Log,
  overrides: Partial<ArchiverOptions> = {},
): PartitionArchiver {
  return new PartitionArchiver({
    ...{ archive, log },
    telemetry: new ArchiveTelemetry(new Telemetry('silent')),
    segmentIntervalMs: 0,
    segmentEventsMax: 1_000,
    retentionDays: undefined,
    ...overrides,
  });
}

export function upkeepOf(archive: Archive, retentionDays?: number): Upkeep {
  const telemetry = new ArchiveTelemetry(new Telemetry('silent'));
  return new Upkeep({ archive, telemetry, retentionDays, limits: { eventsMax: 1_000, bytesMax: 1_000_000 } });
}

export interface UpTo {
  readonly archive: Archive;
  readonly log: Log;
  readonly partition: Partition;
  readonly position: Position | null;
  readonly segmentEventsMax: number;
}

/** Lets an archiver work until the partition is archived up to there, and nothing is left to merge. */
export async function archiveUpTo(upTo: UpTo): Promise<Manifest> {
  const { archive, log, partition, position, segmentEventsMax } = upTo;
  const limits = { eventsMax: segmentEventsMax, bytesMax: SEGMENT_BYTES_MAX };
  const stopping = new AbortController();
  const following = archiverOf(archive, log, { segmentEventsMax }).follow(partition, stopping.signal);
  for (;;) {
    const manifest = await archive.manifests.read(partition);
    if (manifest.position === position && chooseMerge(manifest.segments, limits) === undefined) break;
    await sleep(2);
  }
  stopping.abort();
  await following;
  return archive.manifests.read(partition);
}

/** Every batch of the archive, from its objects alone. */
export async function archivedBatches(archive: Archive, partition: Partition): Promise<RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  for (const segment of (await archive.manifests.read(partition)).segments) {
    for await (const batch of archive.read(segment)) batches.push(batch);
  }
  return batches;
}

export async function allBatches(
  log: Pick<TrackingLog, 'read'>,
  partition: Partition,
  after: Position | null = null,
): Promise<RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  for await (const batch of log.read(partition, after, { follow: false })) batches.push(batch);
  return batches;
}

/** Each segment begins where the one before ended. */
export function expectUnbroken({ segments, position }: Manifest, after: Position | null = null): void {
  let last = after;
  for (const segment of segments) {
    expect(segment.after).toBe(last);
    ({ last } = segment);
  }
  expect(position).toBe(last);
}
