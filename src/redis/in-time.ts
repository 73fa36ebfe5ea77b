// How long an answer is waited for, by one timer for all that are under way. An answer is late only if it was
// not there either when the event loop has read its sockets once more: after a stall of our own, timers come
// before what has long arrived, and a Redis that answered in time would be taken for one that hangs.

export class LateError extends Error {
  override readonly name = 'LateError';
}

interface Waiting {
  readonly dueMs: number;
  readonly giveUp: (error: LateError) => void;
}

export class InTime {
  /** Oldest first: all wait equally long. */
  readonly #underWay = new Set<Waiting>();
  #watching = false;

  constructor(private readonly timeoutMs: number) {}

  /**
   * What `work` comes to; it goes on when it is late.
   * @throws LateError
   */
  of<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { dueMs: performance.now() + this.timeoutMs, giveUp: reject };
      this.#underWay.add(waiting);
      work.then(resolve, reject).finally(() => this.#underWay.delete(waiting));
      if (!this.#watching) this.#watchFor(this.timeoutMs);
    });
  }

  #watchFor(ms: number): void {
    this.#watching = true;
    setTimeout(() => {
      const nowMs = performance.now();
      setImmediate(() => this.#giveUpOnWhatWasDue(nowMs));
    }, ms).unref();
  }

  #giveUpOnWhatWasDue(atMs: number): void {
    for (const waiting of this.#underWay) {
      if (waiting.dueMs > atMs) return this.#watchFor(Math.max(1, waiting.dueMs - performance.now()));
      this.#underWay.delete(waiting);
      waiting.giveUp(new LateError());
    }
    this.#watching = false;
  }
}
