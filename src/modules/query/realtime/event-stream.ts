// One watcher's Server-Sent Events, pulled by the socket: a message is handed over only when the reader
// has taken the one before, and what it could not take meanwhile is replaced by the latest. So a reader
// that is slow skips numbers, and one that has stopped reading holds one message, never a queue.
import { Readable } from 'node:stream';
import type { Snapshot } from './snapshots.js';

/** Proxies and clients take a connection for dead after half a minute or more of silence. */
const HEARTBEAT_MS = 15_000;
/** Whoever has taken nothing for so long is gone, or will not notice. */
const PATIENCE_MS = 60_000;
const HEARTBEAT = Buffer.from(':\n\n');

export interface EventStreamOptions {
  /** Digest of what the client has already. */
  readonly lastEventId?: string | undefined;
  /** How long the client should wait before it comes back. */
  readonly retryMs: number;
}

const messages = new WeakMap<Snapshot, Buffer>();

/** The same bytes for all watchers. */
export function messageOf(snapshot: Snapshot): Buffer {
  const known = messages.get(snapshot);
  if (known !== undefined) return known;
  const message = Buffer.from(`id: ${snapshot.digest}\ndata: ${JSON.stringify(snapshot.report)}\n\n`);
  messages.set(snapshot, message);
  return message;
}

export class EventStream extends Readable {
  /** What waits to be taken; at most one message. */
  #next: Buffer | null = null;
  #isAsked = false;
  #isOver = false;
  #saidAt = performance.now();
  #seen: string | undefined;

  constructor({ lastEventId, retryMs }: EventStreamOptions) {
    super({ highWaterMark: 1 });
    this.#seen = lastEventId;
    this.push(`retry: ${retryMs}\n\n`);
  }

  override _read(): void {
    this.#isAsked = true;
    if (this.#next !== null) this.#say(this.#next);
  }

  /** Says it, unless these are the numbers that were said last. */
  offer(digest: string, message: Buffer): void {
    if (digest === this.#seen || this.#isOver) return;
    this.#seen = digest;
    this.#say(message);
  }

  /** Call now and then. */
  keepAlive(now: number): void {
    const silentMs = now - this.#saidAt;
    if (!this.#isAsked && silentMs >= PATIENCE_MS) this.destroy();
    else if (this.#isAsked && !this.#isOver && silentMs >= HEARTBEAT_MS) this.#say(HEARTBEAT);
  }

  /** Ends it after what the reader was handed; what waits is dropped. */
  hangUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#next = null;
    this.push(null);
  }

  #say(message: Buffer): void {
    if (!this.#isAsked) {
      this.#next = message;
      return;
    }
    this.#next = null;
    this.#isAsked = false;
    this.#saidAt = performance.now();
    this.push(message);
  }
}
