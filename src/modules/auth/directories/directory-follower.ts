// Keeps the directories current: one subscription to the event store from its beginning, one event
// at a time. The boot waits until they know everything; a node that ran a command waits until they
// know of it, so that a site just created can be used at once. Other directories can join.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EventStore, type RecordedEvent, type Subscription } from '../../../event-store/event-store.js';
import { within } from '../../../waiting/within.js';
import { KeyDirectory } from './key.directory.js';
import { SiteDirectory } from './site.directory.js';

const BOOT_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 2_000;
const AGE_MAX_MS = 60_000;

export class DirectoriesNotReadyError extends Error {
  override readonly name = 'DirectoriesNotReadyError';
}

@Injectable()
export class DirectoryFollower implements OnModuleInit {
  readonly #directories: ((event: RecordedEvent) => void)[];
  #subscription: Subscription | undefined;

  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    sites: SiteDirectory,
    keys: KeyDirectory,
  ) {
    this.#directories = [(event) => sites.apply(event), (event) => keys.apply(event)];
  }

  /** For constructors: whoever came later would have missed events. Those before hear of each event first. */
  follow(directory: (event: RecordedEvent) => void): void {
    this.#directories.push(directory);
  }

  async onModuleInit(): Promise<void> {
    this.#subscription = await this.eventStore.subscribeAll(null, (event) => {
      for (const apply of this.#directories) apply(event);
    });
    if (await settlesWithin(this.#subscription.caughtUp(), BOOT_TIMEOUT_MS)) return;
    await this.#subscription.close();
    throw new DirectoriesNotReadyError(
      `The event store was not read to its end within ${BOOT_TIMEOUT_MS / 1000} seconds.`,
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
}

async function settlesWithin(settling: Promise<void>, timeoutMs: number): Promise<boolean> {
  const settled = settling.then(
    () => true,
    () => false,
  );
  return (await within(timeoutMs, settled)) ?? false;
}
