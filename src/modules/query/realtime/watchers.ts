// Who watches which site. While anybody watches a site one loop asks for its snapshots, beat after beat,
// and offers each to all of them; the database never learns how many they are. Every second it is looked
// at who may still watch: a revoked key or a deleted site ends a stream, and so does a stop of the process.
import { setTimeout as sleep } from 'node:timers/promises';
import { ofStatus } from '../../../http/problem-details.js';
import { Problem } from '../../../http/problem.js';
import { backoffMs } from '../../../waiting/backoff.js';
import { EventStream, messageOf } from './event-stream.js';
import type { RealtimeTelemetry } from './realtime.telemetry.js';
import type { RealtimeSnapshots } from './snapshots.js';
import type { Watcher, WatcherRights } from './watcher-rights.js';

const LOOK_MS = 1_000;
/** Different for each, lest the watchers of a process that stops come to the next one all at once. */
const RETRY_MS = { least: 1_000, most: 5_000 };
const RETRY_AFTER_SECONDS = 10;

export interface WatchersDeps {
  readonly snapshots: RealtimeSnapshots;
  readonly limits: { readonly streamsMax: number; readonly streamsPerKeyMax: number };
  /** Asked every second. */
  readonly rights: Pick<WatcherRights, 'allow'>;
  readonly telemetry: RealtimeTelemetry;
}

/** One site that is watched. */
interface Watch {
  readonly streams: Set<EventStream>;
  readonly over: AbortController;
}

export class RealtimeWatchers {
  readonly #watches = new Map<string, Watch>();
  readonly #watchers = new Map<EventStream, Watcher>();
  /** By key: streams open, and those about to be. */
  readonly #places = new Map<string, number>();
  #placesTaken = 0;
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly deps: WatchersDeps) {}

  /**
   * A stream that has said the present numbers, unless the client has them.
   * @throws Problem 429, 503
   */
  async watch(watcher: Watcher, lastEventId?: string): Promise<EventStream> {
    this.#takePlace(watcher.caller.id);
    try {
      const snapshot = await this.deps.snapshots.of(watcher.site);
      if (this.#isClosed) throw stopping();
      const stream = new EventStream({ lastEventId, retryMs: retryMs() });
      stream.offer(snapshot.digest, messageOf(snapshot));
      this.#add(stream, watcher);
      return stream;
    } catch (error) {
      this.#leavePlace(watcher.caller.id);
      throw error;
    }
  }

  /** Ends every stream; whoever comes later is sent away. Readers that do not read are the HTTP server's to cut off. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#looking);
    for (const stream of this.#watchers.keys()) stream.hangUp();
    for (const watch of this.#watches.values()) watch.over.abort();
  }

  #takePlace(key: string): void {
    const { streamsMax, streamsPerKeyMax } = this.deps.limits;
    if (this.#isClosed) throw stopping();
    if (this.#placesTaken >= streamsMax) {
      throw Problem.unavailable('There are as many event streams as this node keeps.', RETRY_AFTER_SECONDS);
    }
    const ofKey = this.#places.get(key) ?? 0;
    if (ofKey >= streamsPerKeyMax) {
      const detail = `This key has ${ofKey} event streams open, which is as many as it may. Close one, or poll.`;
      throw new Problem({ ...ofStatus(429, detail), retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    this.#places.set(key, ofKey + 1);
    this.#placesTaken += 1;
  }

  #leavePlace(key: string): void {
    const left = this.#places.get(key)! - 1;
    if (left > 0) this.#places.set(key, left);
    else this.#places.delete(key);
    this.#placesTaken -= 1;
  }

  #add(stream: EventStream, watcher: Watcher): void {
    this.#watchers.set(stream, watcher);
    this.deps.telemetry.opened();
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
    const { site } = watcher;
    const watch = this.#watches.get(site) ?? { streams: new Set(), over: new AbortController() };
    watch.streams.add(stream);
    if (this.#watches.get(site) !== watch) {
      this.#watches.set(site, watch);
      void this.#follow(site, watch);
    }
    stream.once('close', () => {
      watch.streams.delete(stream);
      if (watch.streams.size === 0 && this.#watches.get(site) === watch) {
        this.#watches.delete(site);
        watch.over.abort();
      }
      this.#forget(stream, watcher);
    });
  }

  #forget(stream: EventStream, { caller }: Watcher): void {
    this.#watchers.delete(stream);
    this.#leavePlace(caller.id);
    this.deps.telemetry.closed();
    if (this.#watchers.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  async #follow(site: string, { streams, over: { signal } }: Watch): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        const snapshot = await this.deps.snapshots.of(site);
        for (const stream of streams) stream.offer(snapshot.digest, messageOf(snapshot));
        failures = 0;
        waitMs = snapshot.freshUntil - performance.now();
      } catch {
        // Counted where it failed. The last numbers and their watermark are what watchers have meanwhile.
        waitMs = backoffMs(failures++);
      }
      await sleep(Math.max(0, waitMs), undefined, { signal }).catch(() => {});
    }
  }

  #look(): void {
    const now = performance.now();
    for (const [stream, watcher] of this.#watchers) {
      if (!this.deps.rights.allow(watcher)) stream.hangUp();
      stream.keepAlive(now);
    }
  }
}

const stopping = (): Problem => Problem.unavailable('This node is stopping.', 1);

const retryMs = (): number => Math.round(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least));
