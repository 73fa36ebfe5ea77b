// A site: what its stream folds to, and which events a command on it leads to. Pure.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { SiteEvent } from '../../../events/site.events.js';
import type { Fold } from '../aggregate.js';
import { spreadFromNow, spreadFromStart, type SpreadPeriod } from './spread.js';

export interface Site {
  readonly id: string;
  readonly merchant: string;
  readonly domain: string;
  readonly name: string;
  readonly timezone: string;
  readonly currency: string;
  readonly trackingIds: readonly string[];
  /** Partitions of the tracking log over which the site's visitors are spread, as last set. */
  readonly spread: number;
  /** The same by time; never empty. */
  readonly spreads: readonly SpreadPeriod[];
  readonly createdAt: Date;
  readonly revision: number;
}

/** `deleted` is also what a site is that was given up before it was created: it can never be. */
export type SiteState = Site | 'absent' | 'deleted';

export type SiteDraft = Pick<Site, 'merchant' | 'domain' | 'name' | 'timezone' | 'currency' | 'trackingIds'> &
  Partial<Pick<Site, 'spread'>>;
export type SiteChange = Partial<Pick<Site, 'name' | 'timezone' | 'currency' | 'trackingIds' | 'spread'>>;

export const siteStream = (id: string): string => `site-${id}`;

export const siteFold: Fold<SiteState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & SiteEvent;
    switch (event.type) {
      case 'SiteCreated': {
        const { site: id, spread = 1, ...draft } = event.data;
        const spreads = spreadFromStart(spread);
        return { id, ...draft, spread, spreads, createdAt: event.recordedAt, revision: event.revision };
      }
      case 'SiteChanged': {
        if (typeof state === 'string') return state;
        const { site: _, ...change } = event.data;
        const { spread } = change;
        const spreads =
          spread === undefined
            ? state.spreads
            : spreadFromNow(state.spreads, { spread, now: event.recordedAt });
        return { ...state, ...change, spreads, revision: event.revision };
      }
      case 'SiteDeleted':
        return 'deleted';
      default:
        return state;
    }
  },
};

export const createSite = (site: string, draft: SiteDraft): SiteEvent => ({
  type: 'SiteCreated',
  data: { site, ...draft },
});

/** Only what differs; null when nothing does. */
export function changeSite(site: Site, change: SiteChange): SiteEvent | null {
  const differing = Object.entries(change).filter(
    ([field, value]) => value !== undefined && !isSame(value, site[field as keyof SiteChange]),
  );
  if (differing.length === 0) return null;
  return { type: 'SiteChanged', data: { site: site.id, ...Object.fromEntries(differing) } };
}

export const deleteSite = (site: string): SiteEvent => ({ type: 'SiteDeleted', data: { site } });

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
