// A draft for the spec of a step: what a page sends unless the spec says otherwise.
import { SETTINGS_DEFAULT } from '../src/modules/auth/sites/site.aggregate.js';
import { addressesIn } from '../src/modules/ingestion/addresses.js';
import {
  draftOf,
  type Draft,
  type NativeEvent,
  type RequestFacts,
  type Sender,
} from '../src/modules/ingestion/draft.js';
import {
  compileRules,
  NO_RULES,
  type RuledSite,
  type SiteRules,
} from '../src/modules/ingestion/rules/site-rules.js';

export const RECEIVED_AT = Date.UTC(2026, 10, 21, 10, 0, 0);
export const PAGE = 'https://shop.example/';

export interface GivenDraft {
  /** The input as a whole; anything, because clients send anything. */
  readonly input?: unknown;
  readonly request?: Partial<RequestFacts>;
  readonly sender?: Partial<Sender>;
  readonly rules?: SiteRules;
}

export function givenDraft({
  input = { url: PAGE },
  request,
  sender,
  rules = NO_RULES,
}: GivenDraft = {}): Draft {
  const draft = draftOf(
    input,
    {
      wire: 'native',
      receivedAt: RECEIVED_AT,
      caller: { id: 'key', merchant: 'merchant', site: 'site', scopes: new Set(['ingest']) },
      server: false,
      optedOut: false,
      clockOffsetMs: 0,
      salts: { current: 'salt of today', previous: undefined },
      ...request,
    },
    {
      address: '192.0.2.1',
      userAgent: 'Browser/1',
      clientHints: undefined,
      language: 'de',
      origin: undefined,
      ...sender,
    },
  );
  draft.event.site = 'site';
  draft.rules = rules;
  draft.merchant = 'merchant';
  return draft;
}

/** As a site has them that is set so. */
export const givenRules = (settings: Partial<RuledSite>): SiteRules =>
  compileRules({ ...SETTINGS_DEFAULT, ...settings }, addressesIn);

/** A page event with these fields besides. */
export const givenEvent = (fields: Readonly<Record<string, unknown>>): Draft =>
  givenDraft({ input: { url: PAGE, ...fields } });

/** The same from a key that may speak for visitors. */
export const givenServerEvent = (fields: NativeEvent): Draft =>
  givenDraft({ input: { url: PAGE, ...fields }, request: { server: true } });
