// How long this process may believe that what it holds is still its own: until the time counted from
// the question whose answer said so is over, by a clock that also runs while the process is stopped.
export class Tenure {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly durationMs: number,
    private readonly onOver: () => void,
  ) {}

  /** @param askedAt `performance.now()` when the question was sent */
  renew(askedAt: number): void {
    clearTimeout(this.#timer);
    const restMs = askedAt + this.durationMs - performance.now();
    this.#timer = setTimeout(this.onOver, Math.max(0, restMs));
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
