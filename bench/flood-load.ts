// Who sends and asks in the benchmark of floods: quiet sites with a key each, and one merchant that goes beyond
// every limit there is. Requests as they go over the wire.
import type { RoleProcess } from './product.js';
import { requestOf } from './query-load.js';

export const LIMITS = {
  SITE_EVENTS_PER_SECOND_MAX: '100',
  SITE_BURST_SECONDS: '2',
  KEY_REQUESTS_PER_MINUTE_MAX: '1200',
};
const QUOTA_EVENTS = 100;
const KEYS_OF_FLOOD = 50;
/** Different ones, in turn. */
const FLOOD_REQUESTS = 1_000;

export interface Keyed {
  readonly site: string;
  readonly key: string;
}

export interface Flood {
  readonly name: string;
  readonly at: RoleProcess;
  readonly requests: readonly string[];
  readonly requestsPerSecond: number;
}

export interface FloodRates {
  readonly requestsPerSecond: number;
  readonly queriesPerSecond: number;
}

/** So that no two are alike. */
let visitors = 0;

async function keyOf(api: RoleProcess, site: string, scope: string): Promise<string> {
  const body = { name: 'bench', scopes: [scope] };
  return (await api.made<{ key: string }>(`/v1/sites/${site}/keys`, { body })).key;
}

/** Each with a key of its own. */
export async function quietSites(
  api: RoleProcess,
  { count, name }: { readonly count: number; readonly name: string },
): Promise<Keyed[]> {
  const made: Keyed[] = [];
  for (let n = 0; n < count; n++) {
    const site = await api.createSite(`${name}-${n}.example`);
    made.push({ site, key: await keyOf(api, site, 'ingest:server') });
  }
  return made;
}

/** What each is refused for, LIMITS and a quota say. */
export async function prepareFloods(
  { api, ingest }: Readonly<Record<'api' | 'ingest', RoleProcess>>,
  { requestsPerSecond, queriesPerSecond }: FloodRates,
): Promise<readonly Flood[]> {
  const site = await api.createSite('flooded.example');
  const key = await keyOf(api, site, 'ingest:server');
  const { id: merchant } = await api.made<{ id: string }>('/admin/v1/merchants', { body: { name: 'Flood' } });
  const body = { domain: 'beyond-quota.example', merchant };
  const limited = (await api.made<{ id: string }>('/v1/sites', { body })).id;
  const keys: string[] = [];
  while (keys.length < KEYS_OF_FLOOD) keys.push(await keyOf(api, limited, 'ingest:server'));
  await api.made(`/admin/v1/merchants/${merchant}/quota`, {
    method: 'PUT',
    body: { eventsPerMonth: QUOTA_EVENTS },
  });
  const asking = await api.issueKey('stats:read');
  const events = (keysOfIt: readonly string[]) =>
    Array.from({ length: FLOOD_REQUESTS }, (_, n) => eventRequest(keysOfIt[n % keysOfIt.length]!));
  return [
    { name: 'one site beyond its rate', at: ingest, requests: events([key]), requestsPerSecond },
    { name: 'many keys beyond a quota', at: ingest, requests: events(keys), requestsPerSecond },
    {
      name: 'queries beyond a key’s rate',
      at: api,
      requests: Array.from({ length: FLOOD_REQUESTS }, () => questionRequest(asking, site)),
      requestsPerSecond: queriesPerSecond,
    },
  ];
}

export function eventRequest(key: string): string {
  const visitor = visitors++;
  const body = JSON.stringify({
    name: 'pageview',
    visitorId: `visitor-${visitor}`,
    url: `https://shop.example/products/${visitor % 977}/item?utm_source=newsletter`,
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (visitor % 40)}.0.0.0 Safari/537.36`,
    title: `Item ${visitor}: a fine thing for the home`,
  });
  return (
    `POST /v1/events HTTP/1.1\r\nHost: tidemark.example\r\nAuthorization: Bearer ${key}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** As a dashboard asks again and again, of another number of rows each time, so that not all are remembered. */
export const questionRequest = (key: string, site: string): string =>
  requestOf({
    site,
    key,
    body: {
      metrics: ['visitors', 'pageviews'],
      dimensions: ['event:page'],
      date_range: '7d',
      pagination: { limit: 10 + (visitors++ % 50) },
    },
  });
