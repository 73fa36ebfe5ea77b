// A link to Kafka that outlives its failures: what is asked is asked again over new connections, with
// growing pauses, until there is an answer, the asker's patience ends, or it is stopped.
import { setTimeout as sleep } from 'node:timers/promises';
import { type KafkaLink, LinkClosedError } from './kafka.link.js';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 1_000;

export interface ReconnectingLinkOptions {
  readonly open: () => KafkaLink;
  readonly patienceMs: number;
  readonly onFailure: (error: unknown) => void;
}

export class ReconnectingLink {
  readonly #stopping = new AbortController();
  #link: KafkaLink | undefined;

  constructor(private readonly options: ReconnectingLinkOptions) {}

  async ask<T>(question: (link: KafkaLink) => Promise<T>): Promise<T> {
    const { open, patienceMs, onFailure } = this.options;
    const giveUpAt = performance.now() + patienceMs;
    for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      if (this.#stopping.signal.aborted) throw new LinkClosedError('The link to Kafka was stopped');
      const link = (this.#link ??= open());
      try {
        return await question(link);
      } catch (error) {
        if (isOutOfRange(error)) throw error;
        link.retire();
        if (this.#link === link) this.#link = undefined;
        if (this.#stopping.signal.aborted) throw error;
        onFailure(error);
        if (performance.now() + pauseMs > giveUpAt) throw error;
      }
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  /** What is asked now, or later, rejects at once. */
  stop(): void {
    this.#stopping.abort();
    this.#link?.close();
  }
}

/** An answer rather than a failure. */
export function isOutOfRange(error: unknown): boolean {
  return (error as Error).name === 'KafkaJSOffsetOutOfRange';
}
