// Tracking ids of sites that took theirs before such ids were claimed (name-claim.ts): only the sites themselves say
// so. The directory finds the site, which may have given the id up since; its stream decides.
import type { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import type { SiteDirectory } from '../directories/site.directory.js';
import type { NameTaken } from './name-claim.js';
import { siteFold, siteStream } from './site.aggregate.js';

export interface TrackingIdsWanted {
  /** Who wants them. */
  readonly site: string;
  readonly trackingIds: readonly string[];
}

/** The first that another site has, claimed or not. */
export async function takenTrackingId(
  eventStore: EventStore,
  sites: SiteDirectory,
  { site, trackingIds }: TrackingIdsWanted,
): Promise<NameTaken | undefined> {
  for (const trackingId of trackingIds) {
    const known = sites.findByTrackingId(trackingId);
    if (known === undefined || known.id === site) continue;
    const { state: owner } = await load(eventStore, siteStream(known.id), siteFold);
    if (typeof owner !== 'string' && owner.trackingIds.includes(trackingId)) {
      return { outcome: 'name-taken', name: { trackingId } };
    }
  }
  return undefined;
}
