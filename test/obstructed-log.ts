// A tracking log that a test can take away: it refuses, hangs, or appends and loses the answer, as a log
// on other machines does. What passes goes to the log within.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { EncodedEvent } from '../src/tracking-log/batch-codec.js';
import { DelegatingTrackingLog } from '../src/tracking-log/delegating.tracking-log.js';
import { type AppendOutcome, type Partition, UNAVAILABLE } from '../src/tracking-log/tracking-log.js';

/** slow: appends, after a while. hangs: until the obstruction is another one. */
export type Obstruction = 'none' | 'refuses' | 'slow' | 'hangs' | 'loses-answers' | 'throws';

const SLOW_MS = 50;

export class ObstructedLog extends DelegatingTrackingLog {
  /** Appends that were asked for, whatever became of them. */
  appends = 0;
  readonly #changes = new EventTarget();
  #obstruction: Obstruction = 'none';
  #obstructed: (partition: Partition) => boolean = () => true;

  /** @param partitions those that are affected; all unless said */
  obstruct(obstruction: Obstruction, partitions?: readonly Partition[]): void {
    this.#obstruction = obstruction;
    this.#obstructed = (partition) => partitions?.includes(partition) ?? true;
    this.#changes.dispatchEvent(new Event('change'));
  }

  override async appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    this.appends++;
    const obstruction = this.#obstructed(partition) ? this.#obstruction : 'none';
    if (obstruction === 'refuses') return UNAVAILABLE;
    if (obstruction === 'throws') throw new Error('The connection broke in an unexpected way');
    if (obstruction === 'hangs') {
      await once(this.#changes, 'change');
      return UNAVAILABLE;
    }
    if (obstruction === 'slow') await delay(SLOW_MS);
    const outcome = await this.log.appendEncoded(partition, batch);
    return obstruction === 'loses-answers' ? UNAVAILABLE : outcome;
  }

  override async close(): Promise<void> {
    this.obstruct(this.#obstruction === 'hangs' ? 'refuses' : this.#obstruction);
    await this.log.close();
  }
}
