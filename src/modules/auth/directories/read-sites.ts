// The sites there are now, for whoever needs them once: a projector follows none.
import type { EventStore } from '../../../event-store/event-store.js';
import { within } from '../../../waiting/within.js';
import { type Site, SiteDirectory } from './site.directory.js';

const READ_TIMEOUT_MS = 60_000;

export class SitesNotReadError extends Error {
  override readonly name = 'SitesNotReadError';
}

/** @throws SitesNotReadError */
export async function readSites(eventStore: EventStore): Promise<readonly Site[]> {
  const sites = new SiteDirectory();
  const subscription = await eventStore.subscribeAll(null, (event) => sites.apply(event));
  try {
    const read = subscription.caughtUp().then(() => true);
    if ((await within(READ_TIMEOUT_MS, read)) === true) return sites.list();
    throw new SitesNotReadError(
      `The event store was not read to its end within ${READ_TIMEOUT_MS / 1000} seconds.`,
    );
  } finally {
    await subscription.close();
  }
}
