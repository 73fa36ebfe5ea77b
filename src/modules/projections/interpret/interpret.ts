// From what was received to what it means. The only way into the projector: every interpreter is called here,
// and a rebuild after mending one of them corrects all history. Which ones they are, a definition says.
import type { PropertyValue, TrackedEvent } from '../../../events/tracked-event.js';
import { LRUCache } from 'lru-cache';
import { eventKey } from './event-key.js';
import { pageOf } from './page.js';
import { type Client, NOWHERE, type Origin, type VisitEvent, type VisitPlace } from '../visit-event.js';

const REMEMBERED_PLACES_MAX = 20_000;
const REMEMBERED_STRINGS_MAX = 20_000;
const REMEMBERED_CHARS_MAX = 4_000_000;

export type Interpret = (event: TrackedEvent) => VisitEvent;

/** What differs between definitions. */
export interface Interpreters {
  readonly originOf: (url: string | undefined, referrer: string | undefined) => Origin;
  readonly clientOf: (event: TrackedEvent) => Client;
}

export function createInterpreter({ originOf, clientOf }: Interpreters): Interpret {
  const places = new LRUCache<string, VisitPlace>({ max: REMEMBERED_PLACES_MAX });
  const shared = createInterner();
  return (event) => {
    const page = pageOf(event.url);
    return {
      key: eventKey(event.id),
      at: event.occurredAt,
      receivedAt: event.receivedAt,
      visitor: event.visitor,
      previousVisitor: event.previousVisitor ?? null,
      name: event.name,
      page: shared(page.path),
      hostname: shared(page.hostname),
      interactive: event.interactive ?? true,
      engagementMs: event.engagementMs ?? null,
      scrollDepth: event.scrollDepth ?? null,
      props: event.props === undefined ? null : propsText(event.props),
      amount: event.revenue?.amount ?? null,
      currency: event.revenue?.currency ?? null,
      origin: originOf(event.url, event.referrer),
      client: clientOf(event),
      place: placeOf(event.place, places),
    };
  };
}

/** One string for equal ones, and of its own: a part of a URL would keep the whole URL in memory with its session. */
function createInterner(): (text: string | null) => string | null {
  const known = new Map<string, string>();
  let chars = 0;
  return (text) => {
    if (text === null) return null;
    const same = known.get(text);
    if (same !== undefined) return same;
    if (known.size >= REMEMBERED_STRINGS_MAX || chars >= REMEMBERED_CHARS_MAX) {
      known.clear();
      chars = 0;
    }
    // Copied by joining it to something; a slice alone would point into the URL.
    const own = ` ${text}`.slice(1);
    chars += own.length;
    known.set(own, own);
    return own;
  };
}

/** Sorted by key, so that the same properties are always the same text. */
function propsText(props: Readonly<Record<string, PropertyValue>>): string | null {
  const keys = Object.keys(props).sort();
  if (keys.length === 0) return null;
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, props[key]])));
}

function placeOf(place: TrackedEvent['place'], places: LRUCache<string, VisitPlace>): VisitPlace {
  if (place === undefined) return NOWHERE;
  const key = `${place.country ?? ''}\n${place.region ?? ''}\n${place.city ?? ''}`;
  const known = places.get(key);
  if (known !== undefined) return known;
  const shared: VisitPlace = {
    country: place.country ?? null,
    region: place.region ?? null,
    city: place.city ?? null,
  };
  places.set(key, shared);
  return shared;
}
