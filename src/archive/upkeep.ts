// What keeps the archive of one partition in shape: small segments are merged, what is older than its
// retention goes, and so do objects that no manifest names. Whatever is killed or fails here leaves objects
// behind that the next sweep removes, never a manifest that names what is gone.
import type { Partition } from '../tracking-log/tracking-log.js';
import type { ArchiveTelemetry, RemovalReason } from './archive.telemetry.js';
import { type Archive, manifestNameOf } from './archive.js';
import { chooseMerge, type MergeLimits } from './choose-merge.js';
import type { Manifest } from './manifest.js';
import { prefixOf, type Segment } from './segment.js';
import { SegmentWriter, type WrittenSegment } from './segment-writer.js';

const DAY_MS = 86_400_000;

export interface UpkeepOptions {
  readonly archive: Archive;
  readonly telemetry: ArchiveTelemetry;
  readonly limits: MergeLimits;
  /** Undefined: for ever. */
  readonly retentionDays: number | undefined;
}

export class Upkeep {
  constructor(private readonly options: UpkeepOptions) {}

  /** Retention, then merges until there is nothing to merge. */
  async tidy(partition: Partition, signal: AbortSignal): Promise<void> {
    await this.#dropExpired(partition);
    while (!signal.aborted && (await this.#merge(partition, signal)));
  }

  /**
   * Removes the objects of the partition that its manifest does not name. They are listed first; then the
   * manifest's revision rises, so that nobody can add any of them any more, however late: whoever wrote one
   * wants to change an earlier revision, and what is written on a later one has another name.
   */
  async sweep(partition: Partition): Promise<void> {
    const { archive } = this.options;
    const listed: string[] = [];
    for await (const name of archive.store.list(prefixOf(partition))) listed.push(name);
    const before = await archive.manifests.read(partition);
    if (!(await archive.manifests.change(before, {}))) return;
    const named = new Set(before.segments.map(({ object }) => object));
    const orphans = listed.filter((name) => !named.has(name) && name !== manifestNameOf(partition));
    await this.#delete(orphans, 'orphaned');
  }

  async #dropExpired(partition: Partition): Promise<void> {
    const { archive, retentionDays } = this.options;
    if (retentionDays === undefined) return;
    const manifest = await archive.manifests.read(partition);
    const oldest = Date.now() - retentionDays * DAY_MS;
    const kept = manifest.segments.findIndex(({ lastAppendedAt }) => lastAppendedAt >= oldest);
    const expired = kept < 0 ? manifest.segments : manifest.segments.slice(0, kept);
    if (expired.length > 0) await this.#exchange(manifest, { removed: expired, reason: 'expired' });
  }

  /** False: there was nothing to merge, or another process was faster. */
  async #merge(partition: Partition, signal: AbortSignal): Promise<boolean> {
    const { archive, limits, telemetry } = this.options;
    const manifest = await archive.manifests.read(partition);
    const run = chooseMerge(manifest.segments, limits);
    if (run === undefined) return false;
    const startedAt = performance.now();
    const merged = await this.#merged(run, { revision: manifest.revision, signal });
    if (merged === undefined) return false;
    await archive.store.put(merged.segment.object, merged.bytes, signal);
    const isDone = await this.#exchange(manifest, { removed: run, added: merged.segment, reason: 'merged' });
    if (isDone) telemetry.segmentWritten(merged.segment, { kind: 'merged', startedAt });
    return isDone;
  }

  /** Undefined when the signal came first. */
  async #merged(
    run: readonly Segment[],
    { revision, signal }: { readonly revision: number; readonly signal: AbortSignal },
  ): Promise<WrittenSegment | undefined> {
    const [first, last] = [run[0]!, run.at(-1)!];
    const writer = new SegmentWriter({ partition: first.partition, after: first.after });
    for (const segment of run) {
      for await (const batch of this.options.archive.read(segment, signal)) {
        if (signal.aborted) return undefined;
        writer.add(batch);
      }
    }
    const range = {
      first: first.first,
      firstAppendedAt: first.firstAppendedAt,
      last: last.last,
      lastAppendedAt: last.lastAppendedAt,
    };
    return writer.finish(range, revision);
  }

  async #exchange(
    manifest: Manifest,
    {
      removed,
      added,
      reason,
    }: { readonly removed: readonly Segment[]; readonly added?: Segment; readonly reason: RemovalReason },
  ): Promise<boolean> {
    const { archive, telemetry } = this.options;
    if (!(await archive.manifests.change(manifest, { removed, ...(added && { added }) }))) {
      telemetry.changeLost();
      return false;
    }
    // Before its segments go, so that who reads by it is told of the new ones.
    await archive.publish(await archive.manifests.read(manifest.partition));
    await this.#delete(
      removed.map(({ object }) => object),
      reason,
    );
    return true;
  }

  async #delete(objects: readonly string[], reason: RemovalReason): Promise<void> {
    for (const object of objects) {
      await this.options.archive.store.delete(object);
      this.options.telemetry.objectRemoved(reason);
    }
  }
}
