// A site: what its stream folds to, and which events a command on it leads to. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { Exclusions, SiteEvent, SiteName, SiteSettings } from '../../../events/site.events.js';
import type { Fold } from '../aggregate.js';
import { spreadFromNow, spreadFromStart, type SpreadPeriod } from './spread.js';

export interface Site extends Required<SiteSettings> {
  readonly id: string;
  readonly merchant: string;
  readonly domain: string;
  readonly name: string;
  readonly timezone: string;
  readonly currency: string;
  readonly trackingIds: readonly string[];
  /** `spread` by time; never empty. */
  readonly spreads: readonly SpreadPeriod[];
  readonly createdAt: Date;
  readonly revision: number;
}

/** `deleted` is also what a site is that was given up before it was created: it can never be. */
export type SiteState = Site | 'absent' | 'deleted';

type DataOf<Type extends SiteEvent['type']> = Extract<SiteEvent, { type: Type }>['data'];
/** Of the exclusions, lists that are not given stay as they are. */
type Wished<Data> = Omit<Data, 'site' | 'exclusions'> & {
  readonly exclusions?: { readonly [List in keyof Exclusions]?: Exclusions[List] | undefined } | undefined;
};
export type SiteDraft = Wished<DataOf<'SiteCreated'>>;
export type SiteChange = Wished<DataOf<'SiteChanged'>>;

const NONE: readonly never[] = Object.freeze([]);

/** The same objects for all sites that were never told otherwise: almost all. */
export const SETTINGS_DEFAULT: Required<SiteSettings> = Object.freeze({
  aliases: NONE,
  spread: 1,
  weekStart: 'monday',
  consentMode: 'cookieless',
  allowedOrigins: NONE,
  hostnames: NONE,
  queryParameters: NONE,
  exclusions: Object.freeze({ countries: NONE, addresses: NONE, pages: NONE, hostnames: NONE }),
});

export const siteStream = (id: string): string => `site-${id}`;

/** Every domain that is the site's alone. */
export const domainsOf = ({ domain, aliases }: Pick<Site, 'domain' | 'aliases'>): readonly string[] => [
  domain,
  ...aliases,
];

/** Everything that is the site's alone. */
export const namesOf = (site: Pick<Site, 'domain' | 'aliases' | 'trackingIds'>): readonly SiteName[] => [
  ...domainsOf(site).map((domain) => ({ domain })),
  ...site.trackingIds.map((trackingId) => ({ trackingId })),
];

export const siteFold: Fold<SiteState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & SiteEvent;
    switch (event.type) {
      case 'SiteCreated': {
        const { site: id, ...draft } = event.data;
        const spreads = spreadFromStart(draft.spread ?? SETTINGS_DEFAULT.spread);
        const { recordedAt: createdAt, revision } = event;
        return { id, ...SETTINGS_DEFAULT, ...draft, spreads, createdAt, revision };
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

/** Of the settings, only what differs from their defaults. */
export function createSite(site: string, draft: SiteDraft): SiteEvent {
  const { merchant, domain, name, timezone, currency, trackingIds } = draft;
  const settings = differing(SETTINGS_DEFAULT, { ...draft, ...complete(SETTINGS_DEFAULT, draft) });
  return {
    type: 'SiteCreated',
    data: { site, merchant, domain, name, timezone, currency, trackingIds, ...settings },
  };
}

/** Only what differs; null when nothing does. */
export function changeSite(site: Site, wished: SiteChange): SiteEvent | null {
  const change = differing(site, { ...wished, ...complete(site, wished) });
  return Object.keys(change).length === 0
    ? null
    : { type: 'SiteChanged', data: { site: site.id, ...change } };
}

/** Changes nothing but the revision: a change that somebody decided on before can no longer be stored. */
export const touchSite = (site: string): SiteEvent => ({ type: 'SiteChanged', data: { site } });

export const deleteSite = (site: string): SiteEvent => ({ type: 'SiteDeleted', data: { site } });

/** What a wish names in part, whole: the exclusions, and the aliases, of which the domain is none. */
function complete(
  before: Required<SiteSettings> & Partial<Pick<Site, 'domain'>>,
  { domain = before.domain, aliases = before.aliases, exclusions = {} }: SiteChange,
): Required<Pick<SiteSettings, 'aliases' | 'exclusions'>> {
  const { countries, addresses, pages, hostnames } = before.exclusions;
  return {
    aliases: aliases.filter((alias) => alias !== domain),
    exclusions: {
      countries: exclusions.countries ?? countries,
      addresses: exclusions.addresses ?? addresses,
      pages: exclusions.pages ?? pages,
      hostnames: exclusions.hostnames ?? hostnames,
    },
  };
}

/** Of the fields that `before` has, those with another value. */
function differing<Before extends object>(before: Before, wished: Partial<Before>): Partial<Before> {
  const fields = Object.keys(wished) as (keyof Before)[];
  const changed = fields.filter(
    (field) =>
      field in before && wished[field] !== undefined && !isDeepStrictEqual(wished[field], before[field]),
  );
  return Object.fromEntries(changed.map((field) => [field, wished[field]])) as Partial<Before>;
}
