// An event on its way from a request to the log. One mutable object per event, filled in by the
// steps of pipeline.ts in order; its `event` is what will be appended. The visitor's address lives
// here only, never in `event`, and is gone after the step `forget-address`.
import type { Consent } from '../../events/site.events.js';
import type { ClientHints, PropertyValue, TrackedEvent } from '../../events/tracked-event.js';
import type { Partition } from '../../tracking-log/tracking-log.js';
import type { Caller } from '../auth/access.js';
import type { Wire } from './wire/wire.js';
import { NO_RULES, type SiteRules } from './rules/site-rules.js';

/** What a client may send as one event. Unknown fields are ignored and never stored. */
export interface NativeEvent {
  readonly site?: string;
  readonly id?: string;
  readonly name?: string;
  readonly url?: string;
  readonly referrer?: string;
  readonly title?: string;
  readonly occurredAt?: string | number;
  readonly props?: Record<string, PropertyValue>;
  readonly revenue?: { readonly amount: string | number; readonly currency: string };
  readonly interactive?: boolean;
  readonly engagementMs?: number;
  readonly scrollDepth?: number;
  readonly visitorId?: string;
  readonly previousVisitorId?: string;
  readonly userId?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly clientHints?: ClientHints;
  readonly language?: string;
  readonly screen?: string;
  readonly consent?: Consent;
}

/** The salts of a moment: hexadecimal, secret, in memory only. */
export interface SaltPair {
  readonly current: string;
  /** For 30 minutes after the salt changed: the one before. */
  readonly previous: string | undefined;
}

/** What holds for every event of one request. */
export interface RequestFacts {
  readonly wire: Wire;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly caller: Caller;
  /** The key may speak for visitors: it has the scope `ingest:server`. */
  readonly server: boolean;
  /** The browser sent `Sec-GPC: 1`. */
  readonly optedOut: boolean;
  /** What the sender's clock is behind ours, milliseconds; 0 where nobody knows. */
  readonly clockOffsetMs: number;
  readonly salts: SaltPair;
}

/** What the connection itself tells about the sender. */
export interface Sender {
  readonly address: string;
  readonly userAgent: string | undefined;
  readonly clientHints: ClientHints | undefined;
  readonly language: string | undefined;
  /** The page's, as its browser tells it: the header Origin, else Referer. */
  readonly origin: string | undefined;
}

export type MutableEvent = { -readonly [Field in keyof TrackedEvent]: TrackedEvent[Field] };

export interface Draft {
  readonly request: RequestFacts;
  /** As sent; of the declared shape once `check-fields` has passed. */
  input: NativeEvent;
  sender: Sender;
  /** Of the event's site. */
  rules: SiteRules;
  /** Who owns the event's site. */
  merchant: string;
  /** The site's own, ISO 4217. */
  currency: string;
  /** The visitor's address; undefined where nothing is known of it. */
  address: string | undefined;
  /** Since when, in epoch milliseconds, what the merchant sends is hidden; 0: the event is shown. */
  hiddenFrom: number;
  /** The event's id is the client's own. */
  idGiven: boolean;
  partition: Partition;
  readonly event: MutableEvent;
}

/** What the steps after `forget-address` may see. */
export type AnonymousDraft = Pick<Draft, 'request' | 'event' | 'partition'>;

export const draftOf = (input: unknown, request: RequestFacts, sender: Sender): Draft => ({
  request,
  input: input as NativeEvent,
  sender,
  rules: NO_RULES,
  merchant: '',
  currency: '',
  address: undefined,
  hiddenFrom: 0,
  idGiven: false,
  partition: -1,
  // Every field is named, so that all events have one hidden class; absent ones stay undefined,
  // which JSON leaves out.
  event: {
    id: '',
    site: '',
    name: '',
    occurredAt: request.receivedAt,
    receivedAt: request.receivedAt,
    timeReplaced: undefined,
    visitor: '',
    previousVisitor: undefined,
    visitorGiven: undefined,
    userId: undefined,
    url: undefined,
    referrer: undefined,
    title: undefined,
    userAgent: undefined,
    clientHints: undefined,
    language: undefined,
    screen: undefined,
    place: undefined,
    props: undefined,
    revenue: undefined,
    interactive: undefined,
    engagementMs: undefined,
    scrollDepth: undefined,
  },
});
