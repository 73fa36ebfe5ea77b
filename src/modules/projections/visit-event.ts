// A tracked event after interpretation: all that sessions and projections may look at.
// Origin, client and place are shared objects (many events point at the same one).

export interface Origin {
  /** Host and path of the referring page; null when there is none or it is the site itself. */
  readonly referrer: string | null;
  /** Null: Direct / None. */
  readonly source: string | null;
  /** Null: Direct. */
  readonly channel: string | null;
  readonly utmSource: string | null;
  readonly utmMedium: string | null;
  readonly utmCampaign: string | null;
  readonly utmContent: string | null;
  readonly utmTerm: string | null;
}

export interface Client {
  readonly browser: string | null;
  readonly browserVersion: string | null;
  readonly os: string | null;
  readonly osVersion: string | null;
  readonly device: string | null;
  readonly screen: string | null;
  readonly language: string | null;
  readonly bot: boolean;
}

export interface VisitPlace {
  readonly country: string | null;
  readonly region: string | null;
  readonly city: string | null;
}

export interface VisitEvent {
  /** 64-bit hash of the event's id, 16 hexadecimal digits: unique enough among one visitor's events. */
  readonly key: string;
  /** Epoch ms. */
  readonly at: number;
  readonly receivedAt: number;
  readonly visitor: string;
  readonly previousVisitor: string | null;
  readonly name: string;
  /** Path of the URL. */
  readonly page: string | null;
  readonly hostname: string | null;
  readonly interactive: boolean;
  readonly engagementMs: number | null;
  readonly scrollDepth: number | null;
  /** JSON text of the properties. */
  readonly props: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly origin: Origin;
  readonly client: Client;
  readonly place: VisitPlace;
}

export const DIRECT: Origin = {
  referrer: null,
  source: null,
  channel: null,
  utmSource: null,
  utmMedium: null,
  utmCampaign: null,
  utmContent: null,
  utmTerm: null,
};

export const NOWHERE: VisitPlace = { country: null, region: null, city: null };

/** So many characters take about as much memory as the rest of an event. */
const CHARS_PER_WEIGHT = 512;

/** How much memory an event takes, compared with one of short texts. */
export function weightOf({ props, page, origin }: VisitEvent): number {
  let chars = (props?.length ?? 0) + (page?.length ?? 0);
  if (origin !== DIRECT) {
    chars += (origin.referrer?.length ?? 0) + (origin.source?.length ?? 0) + (origin.utmSource?.length ?? 0);
    chars += (origin.utmMedium?.length ?? 0) + (origin.utmCampaign?.length ?? 0);
    chars += (origin.utmContent?.length ?? 0) + (origin.utmTerm?.length ?? 0);
  }
  return 1 + Math.floor(chars / CHARS_PER_WEIGHT);
}

/** Engagement events measure attention: they keep a session alive and never open or extend one. */
export const isEngagement = (event: VisitEvent): boolean => event.name === 'engagement';
