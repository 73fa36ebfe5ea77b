// Appends to a log on other machines, in order, until they are settled. Each is within its time, whatever
// the server does; one refused because its time was over may have been sent, and may still arrive.
import { whatFitsOneBatch } from './batch-size.js';
import { type CommitOutcome, UNAVAILABLE } from './tracking-log.js';

export type QueuedAppend<Item> = Item & {
  /** The first outcome counts. */
  readonly settle: (outcome: CommitOutcome) => void;
};

export class AppendQueue<Item extends { readonly bytes: number }> {
  readonly #unsettled = new Set<QueuedAppend<Item>>();

  constructor(private readonly timeoutMs: number) {}

  add(item: Item): Promise<CommitOutcome> {
    return new Promise((resolve) => {
      const settle = (outcome: CommitOutcome): void => {
        clearTimeout(timer);
        this.#unsettled.delete(append);
        resolve(outcome);
      };
      const append = { ...item, settle };
      const timer = setTimeout(settle, this.timeoutMs, UNAVAILABLE);
      this.#unsettled.add(append);
    });
  }

  /** The oldest, as many as one batch may hold. They are the next again until they are settled. */
  next(): readonly QueuedAppend<Item>[] {
    return whatFitsOneBatch([...this.#unsettled], ({ bytes }) => bytes);
  }
}
