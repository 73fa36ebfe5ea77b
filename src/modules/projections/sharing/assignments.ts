// What the holder was last told to work on; it hears of differences only.
import type { Partition } from '../../../tracking-log/tracking-log.js';
import type { PartitionHolder } from './partition-sharing.js';
import type { SharingTelemetry } from './sharing.telemetry.js';

export class Assignments {
  readonly #assigned = new Set<Partition>();

  constructor(
    private readonly holder: PartitionHolder,
    private readonly telemetry: SharingTelemetry,
  ) {}

  /** These and no others. Settles when the work on those that go has ended. */
  async become(partitions: readonly Partition[]): Promise<void> {
    const gone = [...this.#assigned].filter((partition) => !partitions.includes(partition));
    const come = partitions.filter((partition) => !this.#assigned.has(partition));
    if (gone.length === 0 && come.length === 0) return;
    for (const partition of gone) this.#assigned.delete(partition);
    for (const partition of come) this.#assigned.add(partition);
    this.telemetry.assigned({ assigned: come, revoked: gone, all: [...this.#assigned] });
    for (const partition of come) this.holder.assign(partition);
    await Promise.all(gone.map((partition) => this.holder.revoke(partition)));
  }
}
