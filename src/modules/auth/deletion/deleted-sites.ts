// Which sites have been deleted, current by following the event store: what projects the log leaves their events
// out, and whose rows are erased after the grace is read here. An id is never given out again, so that a site that
// was deleted stays so; a new site of the same domain has another id.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EventStore, type RecordedEvent } from '../../../event-store/event-store.js';
import type { SiteEvent } from '../../../events/site.events.js';
import { within } from '../../../waiting/within.js';

/** Several millions of events about other things are read in less. */
const BOOT_TIMEOUT_MS = 300_000;

export interface DeletedSite {
  readonly site: string;
  readonly deletedAt: Date;
  /** Null: not yet. */
  readonly erased: { readonly at: Date; readonly rows: number } | null;
}

export class DeletedSitesNotKnownError extends Error {
  override readonly name = 'DeletedSitesNotKnownError';
}

@Injectable()
export class DeletedSites implements OnModuleInit {
  readonly #byId = new Map<string, DeletedSite>();

  constructor(@Inject(EventStore) private readonly eventStore: EventStore) {}

  /** Nothing is projected before all are known. */
  async onModuleInit(): Promise<void> {
    const subscription = await this.eventStore.subscribeAll(null, (event) => this.apply(event));
    const known = subscription.caughtUp().then(() => true);
    if ((await within(BOOT_TIMEOUT_MS, known)) === true) return;
    await subscription.close();
    throw new DeletedSitesNotKnownError(
      `The event store was not read to its end within ${BOOT_TIMEOUT_MS / 1000} seconds.`,
    );
  }

  has(site: string): boolean {
    return this.#byId.has(site);
  }

  /** In the order of their deletion. */
  list(): readonly DeletedSite[] {
    return [...this.#byId.values()];
  }

  apply(recorded: RecordedEvent): void {
    const event = recorded as unknown as RecordedEvent & SiteEvent;
    const { recordedAt: at } = event;
    if (event.type === 'SiteDeleted') {
      const { site } = event.data;
      this.#byId.set(site, { site, deletedAt: at, erased: null });
    } else if (event.type === 'DataErased') {
      const { site, rows } = event.data;
      const deletedAt = this.#byId.get(site)?.deletedAt ?? at;
      this.#byId.set(site, { site, deletedAt, erased: { at, rows } });
    }
  }
}
