// What a visitor did, as it was received: the unit of the tracking log.
// Nothing here is interpreted (no browser, bot, source, channel or session), so that a
// rebuild can correct every interpretation. Two fields are computed at intake because
// their input, the IP address, is never stored: `visitor` and `place`.

/** The shape written today. A reader brings older ones up to it: see upcasters.ts. */
export const TRACKED_EVENT_SCHEMA = 2;

export type PropertyValue = string | number | boolean;

export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly region?: string;
  readonly city?: string;
  /** Which database said so, and of when: places cannot be looked up again. Since schema 2. */
  readonly database?: string;
}

/** What a browser says of itself in the headers Sec-CH-UA-…, as received. Since schema 2. */
export interface ClientHints {
  /** Sec-CH-UA; only where `fullVersions` is absent, which says the same and more. */
  readonly brands?: string;
  readonly fullVersions?: string;
  readonly platform?: string;
  readonly platformVersion?: string;
  /** `?1` or `?0`. */
  readonly mobile?: string;
  readonly model?: string;
}

export interface Revenue {
  /** Decimal text, as received: never a float. At most 12 digits before the point and 6 after it. */
  readonly amount: string;
  /** ISO 4217. */
  readonly currency: string;
}

export interface TrackedEvent {
  /** Idempotency key within the site, at most 64 characters. */
  readonly id: string;
  /** Site id. */
  readonly site: string;
  /** `pageview`, `engagement` or a custom name, at most 120 characters. */
  readonly name: string;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** The client's own time lay outside what is honoured: `occurredAt` is the time of receipt. */
  readonly timeReplaced?: true;
  /**
   * 64 bits as 16 hexadecimal digits. A keyed hash of address, user agent and site under a
   * daily salt; or of the id that the client gave, where it may give one.
   */
  readonly visitor: string;
  /** The visitor's id under the previous salt, for 30 minutes after the salt changed. */
  readonly previousVisitor?: string;
  /** `visitor` comes from the client's own id and may live longer than a day. */
  readonly visitorGiven?: true;
  readonly userId?: string;
  /** Absolute http(s) URL, redacted: allowed query parameters only. */
  readonly url?: string;
  readonly referrer?: string;
  readonly title?: string;
  readonly userAgent?: string;
  readonly clientHints?: ClientHints;
  readonly language?: string;
  readonly screen?: string;
  readonly place?: Place;
  readonly props?: Readonly<Record<string, PropertyValue>>;
  readonly revenue?: Revenue;
  /** False: does not end a bounce. */
  readonly interactive?: false;
  readonly engagementMs?: number;
  /** 0–100. */
  readonly scrollDepth?: number;
}
