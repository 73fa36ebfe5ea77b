// Folding is synchronous work of up to a second in a process that may also be answering requests:
// in between it lets the event loop go round.
const SLICE_MS = 8;

export class Breathing {
  #since = performance.now();

  /** Cheap when the slice is not used up. */
  needed(): boolean {
    return performance.now() - this.#since > SLICE_MS;
  }

  async breathe(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
