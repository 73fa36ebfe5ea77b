// The newest batch of each partition, from one write transaction to the next: to look one up costs a page of
// the file, again with every commit. What is remembered holds as long as nobody else has written, which the
// number of the transaction tells: LMDB counts those that wrote something, of all processes.
import type { Partition } from './tracking-log.js';

export interface Tail {
  readonly sequence: number;
  readonly appendedAt: number;
}

export class KnownTails {
  readonly #tails = new Map<Partition, Tail>();
  #lastWritten = 0;
  #current = 0;

  /** In a write transaction of this number. One that writes nothing leaves its number to the next, of whatever process. */
  begin(transaction: number): void {
    if (transaction !== this.#lastWritten + 1) this.#tails.clear();
    this.#current = transaction;
  }

  /** Undefined: it must be looked up. */
  get(partition: Partition): Tail | undefined {
    return this.#tails.get(partition);
  }

  /** The transaction made this the newest batch; undefined: it removed batches. */
  written(partition: Partition, tail: Tail | undefined): void {
    this.#lastWritten = this.#current;
    if (tail) this.#tails.set(partition, tail);
    else this.#tails.delete(partition);
  }

  /** Nobody knows what the transaction left behind. */
  forget(): void {
    this.#tails.clear();
    this.#lastWritten = 0;
  }
}
