// Where the archive knows more than the database does, the database was lost or is an older copy: the manifest
// that was published beside the segments takes its place, so that nothing is archived twice and nothing that
// the log has lost since is forgotten. But only if the archive is of this log.
import {
  InvalidPositionError,
  type Partition,
  type Position,
  type RecordedBatch,
  type TrackingLog,
  TruncatedLogError,
} from '../tracking-log/tracking-log.js';
import { MissingObjectError } from './archive-store.js';
import { type Archive, manifestNameOf, type PublishedManifest } from './archive.js';

export class ForeignArchiveError extends Error {
  override readonly name = 'ForeignArchiveError';
  constructor(partition: Partition, position: Position) {
    super(
      `What the archive holds of partition ${partition} is not of this log: they differ at position ${position}. ` +
        'Set ARCHIVE_URL to a place that no other installation archives to, or empty this one.',
    );
  }
}

interface Sides {
  readonly archive: Archive;
  readonly log: Pick<TrackingLog, 'read' | 'compare'>;
}

/** @throws ForeignArchiveError */
export async function adoptPublished(partition: Partition, { archive, log }: Sides): Promise<void> {
  const published = await readPublished(partition, archive);
  const known = await archive.manifests.read(partition);
  if (published === undefined || published.revision <= known.revision) return;
  await refuseForeign(published, { archive, log });
  // Another process may have done the same meanwhile.
  await archive.manifests.replace(known, published);
}

async function readPublished(
  partition: Partition,
  { store }: Archive,
): Promise<PublishedManifest | undefined> {
  try {
    return JSON.parse(
      Buffer.from(await store.get(manifestNameOf(partition))).toString('utf8'),
    ) as PublishedManifest;
  } catch (error) {
    if (error instanceof MissingObjectError) return undefined;
    throw error;
  }
}

/** Compares the last batch of the archive with the log's, if the log still has it. */
async function refuseForeign(
  { partition, segments }: PublishedManifest,
  { archive, log }: Sides,
): Promise<void> {
  const segment = segments.at(-1);
  if (segment === undefined) return;
  let before = segment.after;
  let last: RecordedBatch | undefined;
  for await (const batch of archive.read(segment)) {
    before = last?.position ?? segment.after;
    last = batch;
  }
  try {
    for await (const batch of log.read(partition, before, { follow: false })) {
      const order = log.compare(batch.position, segment.last);
      if (order < 0) continue;
      // Beyond it: the log begins later than the archive ends.
      if (order > 0 || idsOf(archive.kept(batch)) === idsOf(last)) return;
      break;
    }
  } catch (error) {
    if (error instanceof TruncatedLogError) return;
    if (!(error instanceof InvalidPositionError)) throw error;
  }
  throw new ForeignArchiveError(partition, segment.last);
}

const idsOf = (batch: RecordedBatch | undefined): string =>
  JSON.stringify(batch?.events.map(({ id, receivedAt }) => [id, receivedAt]));
