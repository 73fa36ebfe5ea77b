// A request for the spec of another vendor's format, as its client would send it.
import {
  type EventsRoute,
  type Settled,
  type TranslatedEvent,
  UNCOUNTED,
  type VendorFormat,
  type VendorRequest,
  type VendorRoute,
} from '../src/modules/ingestion/wire/vendors/vendor-format.js';
import { RECEIVED_AT } from './given-draft.js';

export function vendorRequest(
  given: Partial<VendorRequest> & { readonly json?: unknown } = {},
): VendorRequest {
  const { json, ...request } = given;
  return {
    receivedAt: RECEIVED_AT,
    parameters: {},
    query: {},
    headers: {},
    body: json === undefined ? '' : JSON.stringify(json),
    host: 't.example',
    ...request,
  };
}

export function routeOf(format: VendorFormat, path: string): VendorRoute {
  const route = format.routes.find(({ paths }) => paths.includes(path));
  if (route === undefined) throw new Error(`${format.title} has no ${path}`);
  return route;
}

export const eventsRoute = (format: VendorFormat, path: string): EventsRoute =>
  routeOf(format, path) as EventsRoute;

/** What became of a request's events. */
export const settled = (fields: Partial<Settled>): Settled => ({
  outcome: 'settled',
  accepted: 0,
  duplicates: 0,
  dropped: 0,
  rejected: [],
  standing: undefined,
  ...fields,
});

/** The events of a request, where all that was sent are some. */
export const eventsIn = (route: EventsRoute, request: VendorRequest): readonly TranslatedEvent[] =>
  route.translate(request).events.map((event) => {
    if (event === null || event === UNCOUNTED) throw new Error('That is no event');
    return event;
  });
