// Follows partitions of the log and writes what was appended to the archive, one segment at a time. Nothing is
// held between segments: what is not archived is in the log, and is read from there when a segment is due.
// Whatever fails, a partition starts over from its manifest, which names a segment or does not.
import { setTimeout as sleep } from 'node:timers/promises';
import { Permits } from '../tracking-log/permits.js';
import type { Partition, RecordedBatch, TrackingLog } from '../tracking-log/tracking-log.js';
import { adoptPublished } from './adopt-published.js';
import type { Archive } from './archive.js';
import type { ArchiveTelemetry } from './archive.telemetry.js';
import { cutDelayMs } from './cut-delay.js';
import type { Manifest } from './manifest.js';
import { SEGMENT_BYTES_MAX, SegmentWriter } from './segment-writer.js';
import { Upkeep } from './upkeep.js';

const RESTART_DELAY_MIN_MS = 500;
const RESTART_DELAY_MAX_MS = 60_000;
/** Retention passes also where nothing is appended. */
const LOOK_INTERVAL_MS = 3_600_000;
const SWEEP_INTERVAL_MS = 86_400_000;

export interface ArchiverOptions {
  readonly archive: Archive;
  readonly log: Pick<TrackingLog, 'read' | 'compare'>;
  readonly telemetry: ArchiveTelemetry;
  /** How long a batch waits in the log for others to share its segment. */
  readonly segmentIntervalMs: number;
  readonly segmentEventsMax: number;
  /** Undefined: segments are kept for ever. */
  readonly retentionDays: number | undefined;
}

export class PartitionArchiver {
  /** One segment at a time is in the memory of the process, however many partitions it has. */
  readonly #turns = new Permits(1);
  readonly #upkeep: Upkeep;

  constructor(private readonly options: ArchiverOptions) {
    const { archive, telemetry, retentionDays, segmentEventsMax } = options;
    const limits = { eventsMax: segmentEventsMax, bytesMax: SEGMENT_BYTES_MAX };
    this.#upkeep = new Upkeep({ archive, telemetry, retentionDays, limits });
  }

  /** Until the signal; never throws. What it was doing then is left undone: the log still has it. */
  async follow(partition: Partition, signal: AbortSignal): Promise<void> {
    const { telemetry } = this.options;
    let delayMs = RESTART_DELAY_MIN_MS;
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await this.#follow(partition, signal);
      } catch (error) {
        if (signal.aborted) break;
        telemetry.failed(partition, error instanceof Error ? error.message : String(error));
        if (performance.now() - startedAt > RESTART_DELAY_MAX_MS) delayMs = RESTART_DELAY_MIN_MS;
        await sleep(delayMs, undefined, { signal }).catch(() => {});
        delayMs = Math.min(delayMs * 2, RESTART_DELAY_MAX_MS);
      }
    }
    telemetry.released(partition);
  }

  async #follow(partition: Partition, signal: AbortSignal): Promise<void> {
    const { archive, log } = this.options;
    await this.#tellWaiting(partition, signal);
    await this.#turns.with(() => adoptPublished(partition, { archive, log }));
    let sweptAt = -Infinity;
    while (!signal.aborted) {
      if (performance.now() - sweptAt > SWEEP_INTERVAL_MS) {
        await this.#upkeep.sweep(partition);
        await this.#publish(partition, signal);
        sweptAt = performance.now();
      }
      const manifest = await archive.manifests.read(partition);
      const first = await this.#firstAfter(manifest, { follow: true, signal });
      if (first !== undefined) {
        this.options.telemetry.waiting(partition, first.appendedAt);
        const due = first.appendedAt + cutDelayMs(manifest.segments.at(-1), this.options);
        await this.#sleepUntil(due, signal);
        while (!signal.aborted && (await this.#turns.with(() => this.#cut(partition, signal))));
      }
      if (signal.aborted) return;
      await this.#tellWaiting(partition, signal);
      await this.#turns.with(() => this.#upkeep.tidy(partition, signal));
    }
  }

  /** How late the archive is, also where it cannot be written to. */
  async #tellWaiting(partition: Partition, signal: AbortSignal): Promise<void> {
    const { archive, telemetry } = this.options;
    const first = await this.#firstAfter(await archive.manifests.read(partition), { follow: false, signal });
    telemetry.waiting(partition, first?.appendedAt ?? null);
  }

  /** Undefined when there is none; where it is waited for, when none came in an hour; or the signal. */
  async #firstAfter(
    { partition, position }: Manifest,
    { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
  ): Promise<RecordedBatch | undefined> {
    const stop = follow ? AbortSignal.any([signal, AbortSignal.timeout(LOOK_INTERVAL_MS)]) : signal;
    for await (const batch of this.options.log.read(partition, position, { follow, signal: stop }))
      return batch;
    return undefined;
  }

  async #sleepUntil(time: number, signal: AbortSignal): Promise<void> {
    // Other nodes' clocks may be wrong by any amount.
    const ms = Math.min(time - Date.now(), this.options.segmentIntervalMs);
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {});
  }

  /** One segment of what the log has beyond the archive. False: that was all. */
  async #cut(partition: Partition, signal: AbortSignal): Promise<boolean> {
    const { archive, telemetry } = this.options;
    const startedAt = performance.now();
    const manifest = await archive.manifests.read(partition);
    const { writer, isFull } = await this.#gather(manifest, signal);
    if (writer.range === undefined || signal.aborted) return false;
    const { segment, bytes } = writer.finish(writer.range, manifest.revision);
    await archive.store.put(segment.object, bytes, signal);
    if (!(await archive.manifests.change(manifest, { added: segment }))) {
      telemetry.changeLost();
      return true;
    }
    telemetry.segmentWritten(segment, { kind: 'cut', startedAt });
    await this.#publish(partition, signal);
    return isFull;
  }

  async #gather(
    { partition, position }: Manifest,
    signal: AbortSignal,
  ): Promise<{ readonly writer: SegmentWriter; readonly isFull: boolean }> {
    const { log, segmentEventsMax } = this.options;
    const writer = new SegmentWriter({ partition, after: position });
    for await (const batch of log.read(partition, position, { follow: false, signal })) {
      writer.add(batch);
      if (writer.events >= segmentEventsMax || writer.bytes >= SEGMENT_BYTES_MAX)
        return { writer, isFull: true };
    }
    return { writer, isFull: false };
  }

  async #publish(partition: Partition, signal: AbortSignal): Promise<void> {
    const { archive } = this.options;
    await archive.publish(await archive.manifests.read(partition), signal);
  }
}
