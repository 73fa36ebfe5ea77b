// Holds a rebuild to so many events a second, all partitions of the process together, so that live
// projection and queries keep their share of the machine.
import { setTimeout as sleep } from 'node:timers/promises';

/** Shorter waits are put together. */
const WAIT_MIN_MS = 20;

export class Pace {
  #paidUntil = 0;

  /** @param eventsPerSecondMax null: as fast as it goes */
  constructor(private readonly eventsPerSecondMax: number | null) {}

  async spend(events: number): Promise<void> {
    if (this.eventsPerSecondMax === null) return;
    const now = performance.now();
    this.#paidUntil = Math.max(now, this.#paidUntil) + (events / this.eventsPerSecondMax) * 1_000;
    if (this.#paidUntil - now > WAIT_MIN_MS) await sleep(this.#paidUntil - now);
  }
}
