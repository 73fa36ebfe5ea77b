// What people did to a site. Stream `site-{id}`; each of its domains and tracking ids is claimed first on
// `domain-{domain}` or `trackingid-{id}`, so that two sites can never own one whatever the event store.

export const WEEK_STARTS = ['monday', 'sunday', 'saturday'] as const;
export type WeekStart = (typeof WEEK_STARTS)[number];

/** What a visitor allows, from nothing to an id that lasts. */
export const CONSENTS = ['none', 'cookieless', 'full'] as const;
export type Consent = (typeof CONSENTS)[number];

/** Which events are not kept. */
export interface Exclusions {
  /** ISO 3166-1 alpha-2. */
  readonly countries: readonly string[];
  /** Addresses, or blocks such as 192.0.2.0/24. */
  readonly addresses: readonly string[];
  /** Paths with the wildcards `*` and `**`. */
  readonly pages: readonly string[];
  /** Hosts, or `*.` before a domain. */
  readonly hostnames: readonly string[];
}

/** What was never set is absent and has its default. */
export type SiteSettings = {
  /** Further domains of the site. */
  readonly aliases?: readonly string[];
  /** Partitions of the tracking log that the site's visitors are spread over; in force a minute after a change. */
  readonly spread?: number;
  readonly weekStart?: WeekStart;
  /** Of visitors of whom an event says nothing. */
  readonly consentMode?: Consent;
  /** Hosts whose pages may send events with a public key; none: any. */
  readonly allowedOrigins?: readonly string[];
  /** Hosts whose pages count; none: any. */
  readonly hostnames?: readonly string[];
  /** Query parameters of page URLs that are kept beside those that always are. */
  readonly queryParameters?: readonly string[];
  readonly exclusions?: Exclusions;
};

export type SiteEvent =
  | {
      readonly type: 'SiteCreated';
      readonly data: SiteSettings & {
        readonly site: string;
        readonly merchant: string;
        readonly domain: string;
        readonly name: string;
        /** IANA name. */
        readonly timezone: string;
        /** ISO 4217. */
        readonly currency: string;
        readonly trackingIds: readonly string[];
      };
    }
  | {
      readonly type: 'SiteChanged';
      readonly data: SiteSettings & {
        readonly site: string;
        readonly domain?: string;
        readonly name?: string;
        readonly timezone?: string;
        readonly currency?: string;
        readonly trackingIds?: readonly string[];
      };
    }
  | { readonly type: 'SiteDeleted'; readonly data: { readonly site: string } }
  /** Of a deleted site: no table holds a row of it any more. `rows` were deleted. */
  | { readonly type: 'DataErased'; readonly data: { readonly site: string; readonly rows: number } };

/** What only one site can have. */
export type SiteName = { readonly domain: string } | { readonly trackingId: string };

type OfDomain = { readonly domain: string; readonly site: string };
type OfTrackingId = { readonly trackingId: string; readonly site: string };

export type SiteNameEvent =
  | { readonly type: 'DomainClaimed'; readonly data: OfDomain }
  | { readonly type: 'DomainReleased'; readonly data: OfDomain }
  | { readonly type: 'TrackingIdClaimed'; readonly data: OfTrackingId }
  | { readonly type: 'TrackingIdReleased'; readonly data: OfTrackingId };
