// The sites there are now, for whoever needs them once: a projector follows none.
import type { EventStore } from '../../../event-store/event-store.js';
import { type Site, SiteDirectory } from './site.directory.js';

/** To be gone through once: as objects all at once they would fill the heap. */
export async function readSites(eventStore: EventStore): Promise<Iterable<Site>> {
  const sites = new SiteDirectory();
  for await (const event of eventStore.readAll(null)) sites.apply(event);
  return sites.all();
}
