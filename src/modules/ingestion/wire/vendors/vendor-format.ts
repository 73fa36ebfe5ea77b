// The port for another vendor's wire format: what its clients send, turned into native events, and what they
// want to hear. One file and one spec each, pure: everything about keys, limits, durability and accounting is
// done once, in vendor-intake.ts, and a format only says how its vendor tells it.
import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorForm } from '../../../../http/route-kind.js';
import type { NativeEvent } from '../../draft.js';
import type { IntakeOutcome } from '../../intake.js';
import type { Wire } from '../wire.js';

export interface VendorFormat {
  readonly wire: Wire;
  /** The vendor, for people. */
  readonly title: string;
  readonly errors: ErrorForm;
  readonly routes: readonly VendorRoute[];
}

interface Routed {
  readonly method: 'GET' | 'POST';
  /** From the root, with parameters as `:name`. */
  readonly paths: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** What is accepted: a body, or what stands in the URL. */
  readonly example?: unknown;
  readonly exampleQuery?: Readonly<Record<string, string>>;
}

/** Takes events in. */
export interface EventsRoute extends Routed {
  readonly eventsMax: number;
  /**
   * The clients send a request again as it was, and its events have ids: so one that could be taken in part
   * only, for now, is refused as a whole.
   */
  readonly repeats?: true;
  /** @throws Problem 400: nothing of it can be read. */
  readonly translate: (request: VendorRequest) => Translation;
  readonly answer: (outcome: Settled, request: VendorRequest) => VendorAnswer;
}

/** Answers what clients ask before they send anything. */
export interface SettingsRoute extends Routed {
  readonly settings: (request: VendorRequest) => VendorAnswer;
}

export type VendorRoute = EventsRoute | SettingsRoute;

export interface VendorRequest {
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** The first value of each. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** Inflated; empty where there is none. */
  readonly body: string;
  /** As the client reached us, such as `t.example`. */
  readonly host: string;
}

/** A native event; what is undefined is absent. */
export type TranslatedEvent = { readonly [Field in keyof NativeEvent]: NativeEvent[Field] | undefined };

export interface Translation {
  /** A key that stood in the body, or in the URL where the vendor's clients put it there; that of Authorization goes without saying. */
  readonly key?: string | undefined;
  /**
   * Whatever was sent, in its order. `site` in each event may be an id, a domain or one of a site's `trackingIds`.
   * Null: something stood there that is no event, which is refused and counted like one.
   */
  readonly events: readonly (TranslatedEvent | null | typeof UNCOUNTED)[];
}

/** In the place of what says something of a user, a flag, a page's speed: nothing that is counted here. */
export const UNCOUNTED = Symbol('uncounted');

export type Settled = Extract<IntakeOutcome, { outcome: 'settled' }>;

export interface VendorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, bytes, or what becomes JSON. */
  readonly body?: unknown;
}
