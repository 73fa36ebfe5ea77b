// What people did to a site. Stream `site-{id}`; a domain is claimed first on `domain-{domain}`,
// so that two sites can never own one domain whatever the event store.
export type SiteEvent =
  | {
      readonly type: 'SiteCreated';
      readonly data: {
        readonly site: string;
        readonly merchant: string;
        readonly domain: string;
        readonly name: string;
        /** IANA name. */
        readonly timezone: string;
        /** ISO 4217. */
        readonly currency: string;
        readonly trackingIds: readonly string[];
        /** Partitions of the tracking log that the site's visitors are spread over; absent: 1. */
        readonly spread?: number;
      };
    }
  | {
      readonly type: 'SiteChanged';
      readonly data: {
        readonly site: string;
        readonly name?: string;
        readonly timezone?: string;
        readonly currency?: string;
        readonly trackingIds?: readonly string[];
        /** In force a minute after the event was recorded. */
        readonly spread?: number;
      };
    }
  | { readonly type: 'SiteDeleted'; readonly data: { readonly site: string } };

export type DomainEvent =
  | { readonly type: 'DomainClaimed'; readonly data: { readonly domain: string; readonly site: string } }
  | { readonly type: 'DomainReleased'; readonly data: { readonly domain: string; readonly site: string } };
