// Keeps the directories current: from their snapshot, or else from the event store's beginning, one event at a
// time. The boot waits until they know everything; a node that ran a command waits until they know of it, so that
// a site just created can be used at once. Whoever had to read many events leaves a snapshot to those that start later.
import type { OnModuleInit } from '@nestjs/common';
import type { EventStore, RecordedEvent, Subscription } from '../../../event-store/event-store.js';
import type { Telemetry } from '../../../telemetry/telemetry.js';
import { within } from '../../../waiting/within.js';
import type { Directory } from './directory.js';
import type { DirectorySnapshots } from './directory-snapshots.js';
import type { KeyDirectory } from './key.directory.js';
import { contains } from './mark.js';
import type { SiteDirectory } from './site.directory.js';

/** Reading a long history may take longer than that; standing still may not. */
const STANDSTILL_TIMEOUT_MS = 60_000;
/** Read in less than a second, most of the time; writing a snapshot of a million sites takes several. */
const EVENTS_WORTH_A_SNAPSHOT = 100_000;
const SETTLE_TIMEOUT_MS = 2_000;
const AGE_MAX_MS = 60_000;

export class DirectoriesNotReadyError extends Error {
  override readonly name = 'DirectoriesNotReadyError';
}

/** Is told of each event and keeps nothing of it. */
export type Listener = (event: RecordedEvent) => void;

export interface FollowerParts {
  readonly eventStore: EventStore;
  readonly snapshots: DirectorySnapshots;
  readonly telemetry: Telemetry;
  readonly sites: SiteDirectory;
  readonly keys: KeyDirectory;
  readonly eventsWorthASnapshot?: number;
}

export class DirectoryFollower implements OnModuleInit {
  readonly #directories: Directory[];
  readonly #told: Listener[] = [];
  #subscription: Subscription | undefined;
  #last: RecordedEvent | undefined;
  #events = 0;
  /** While a snapshot is written nothing changes. */
  #writing: Promise<unknown> | undefined;

  constructor(private readonly parts: FollowerParts) {
    const { sites, keys } = parts;
    this.#directories = [sites, keys];
    this.#told = [(event) => sites.apply(event), (event) => keys.apply(event)];
  }

  /** For constructors: whoever came later would have missed events. Those before hear of each event first. */
  follow(directory: Directory): void {
    this.#directories.push(directory);
    this.#told.push((event) => directory.apply(event));
  }

  /** For those who only need to know that there is news: of what a snapshot contains they do not hear. */
  listen(listener: Listener): void {
    this.#told.push(listener);
  }

  async onModuleInit(): Promise<void> {
    const { eventsWorthASnapshot: worth = EVENTS_WORTH_A_SNAPSHOT } = this.parts;
    const startedAt = Date.now();
    const mark = await this.parts.snapshots.restore(this.#directories, (wanted) =>
      contains(this.parts.eventStore, wanted),
    );
    const restoredAt = Date.now();
    this.#subscription = await this.parts.eventStore.subscribeAll(mark?.position ?? null, (event) =>
      this.#writing === undefined ? this.#tell(event) : this.#writing.then(() => this.#tell(event)),
    );
    await this.#caughtUp(this.#subscription);
    const readAt = Date.now();
    const isWritten = this.#events >= worth && (await this.#writeSnapshot());
    this.parts.telemetry.log.info(
      {
        snapshot: mark?.position ?? null,
        restoreMs: restoredAt - startedAt,
        events: this.#events,
        readMs: readAt - restoredAt,
        ...(isWritten && { writeSnapshotMs: Date.now() - readAt }),
      },
      'the directories are current',
    );
  }

  /** How long the directories may have missed events. */
  get ageMs(): number {
    return Date.now() - (this.#subscription?.freshAt ?? 0);
  }

  /** So long without news that a key revoked meanwhile could pass. */
  get isStale(): boolean {
    return this.ageMs > AGE_MAX_MS;
  }

  /** Waits until the directories know what is stored by now; false when that takes too long. */
  async settle(): Promise<boolean> {
    if (!this.#subscription) return false;
    return settlesWithin(this.#subscription.caughtUp(), SETTLE_TIMEOUT_MS);
  }

  #tell(event: RecordedEvent): void {
    for (const apply of this.#told) apply(event);
    this.#last = event;
    this.#events++;
  }

  /** @throws DirectoriesNotReadyError */
  async #caughtUp(subscription: Subscription): Promise<void> {
    const caughtUp = subscription.caughtUp();
    for (let before = -1; this.#events > before;) {
      before = this.#events;
      if (await settlesWithin(caughtUp, STANDSTILL_TIMEOUT_MS)) return;
    }
    await subscription.close();
    throw new DirectoriesNotReadyError(
      `The event store was not read on for ${STANDSTILL_TIMEOUT_MS / 1000} seconds.`,
    );
  }

  async #writeSnapshot(): Promise<boolean> {
    const writing = this.parts.snapshots.write(this.#directories, this.#last!);
    this.#writing = writing;
    const isWritten = await writing;
    this.#writing = undefined;
    return isWritten;
  }
}

async function settlesWithin(settling: Promise<void>, timeoutMs: number): Promise<boolean> {
  const settled = settling.then(
    () => true,
    () => false,
  );
  return (await within(timeoutMs, settled)) ?? false;
}
