// Work that is looked for every minute and whenever somebody says that there is some, one round at a time. What a
// round leaves, the next one does.
const ROUND_INTERVAL_MS = 60_000;

export class Rounds {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  /** @param round never throws; ends soon after the signal */
  constructor(private readonly round: (signal: AbortSignal) => Promise<void>) {}

  start(): void {
    this.#timer = setInterval(() => void this.now(), ROUND_INTERVAL_MS).unref();
    void this.now();
  }

  /** Settles with the round, or with the one that is under way. */
  now(): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve();
    this.#round ??= this.round(this.#stopping.signal).finally(() => (this.#round = undefined));
    return this.#round;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#round;
  }
}
