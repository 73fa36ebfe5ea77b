// A draft for the spec of a step: what a page sends unless the spec says otherwise.
import {
  draftOf,
  type Draft,
  type NativeEvent,
  type RequestFacts,
  type Sender,
} from '../src/modules/ingestion/draft.js';

export const RECEIVED_AT = Date.UTC(2026, 10, 21, 10, 0, 0);
export const PAGE = 'https://shop.example/';

export interface GivenDraft {
  /** The input as a whole; anything, because clients send anything. */
  readonly input?: unknown;
  readonly request?: Partial<RequestFacts>;
  readonly sender?: Partial<Sender>;
}

export function givenDraft({ input = { url: PAGE }, request, sender }: GivenDraft = {}): Draft {
  const draft = draftOf(
    input,
    {
      receivedAt: RECEIVED_AT,
      caller: { id: 'key', merchant: 'merchant', site: 'site', scopes: new Set(['ingest']) },
      server: false,
      optedOut: false,
      salts: { current: 'salt of today', previous: undefined },
      ...request,
    },
    { address: '192.0.2.1', userAgent: 'Browser/1', language: 'de', ...sender },
  );
  draft.event.site = 'site';
  return draft;
}

/** A page event with these fields besides. */
export const givenEvent = (fields: Readonly<Record<string, unknown>>): Draft =>
  givenDraft({ input: { url: PAGE, ...fields } });

/** The same from a key that may speak for visitors. */
export const givenServerEvent = (fields: NativeEvent): Draft =>
  givenDraft({ input: { url: PAGE, ...fields }, request: { server: true } });
