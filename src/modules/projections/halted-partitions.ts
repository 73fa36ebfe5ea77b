// Partitions of this process whose checkpoint is no longer a place of the log: its next batch was removed,
// or the log was replaced by an older one. Going on would skip events or fold others in their place, so
// they stand still until somebody decides, and logs, metrics and readiness say so.
import { Injectable } from '@nestjs/common';
import { InvalidPositionError, TruncatedLogError } from '../../tracking-log/tracking-log.js';
import type { Feed } from './feed.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';

@Injectable()
export class HaltedPartitions {
  readonly #reasons = new Map<string, string>();

  constructor(private readonly telemetry: ProjectionsTelemetry) {}

  /** Of one of them; undefined when all are going on. */
  get reason(): string | undefined {
    const [first] = this.#reasons.values();
    return first;
  }

  get count(): number {
    return this.#reasons.size;
  }

  /** False: the error is none that a partition halts at. */
  haltAt(error: unknown, feed: Feed): boolean {
    if (!(error instanceof TruncatedLogError || error instanceof InvalidPositionError)) return false;
    const isNews = !this.#reasons.has(nameOf(feed));
    this.#reasons.set(nameOf(feed), error.message);
    if (isNews) this.telemetry.partitionHalted(feed, { reason: error.message, halted: this.count });
    return true;
  }

  /** It has read on, or is another process's. */
  release(feed: Feed): void {
    if (this.#reasons.delete(nameOf(feed))) this.telemetry.partitionReleased(feed, this.count);
  }
}

const nameOf = ({ partition, version }: Feed): string => `${partition}@${version}`;
