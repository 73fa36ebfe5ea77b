// An event store of many sites and keys, for benchmarks of what reads it: the events that commands would have
// appended, through COPY straight into the driver's table, since a million appends take an hour. Only for
// an empty store that nobody else writes to: positions are counted here, from 1.
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Pool } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { NewEvent } from '../src/event-store/event-store.js';
import { issueKey, keyStream } from '../src/modules/auth/keys/key.aggregate.js';
import type { KeyPepper } from '../src/modules/auth/keys/key-pepper.js';
import { merchantStream, registerMerchant } from '../src/modules/auth/merchants/merchant.aggregate.js';
import { createSite, siteStream } from '../src/modules/auth/sites/site.aggregate.js';

export interface Population {
  readonly sites: number;
  readonly keysPerSite: number;
  readonly sitesPerMerchant: number;
}

interface Appended {
  readonly stream: string;
  readonly revision: number;
  readonly event: NewEvent;
}

/** As long as those that are drawn by chance. */
const idOf = (prefix: string, n: number): string => `${prefix}${String(n).padStart(11, '0')}`;

export const siteOf = (n: number): { id: string; domain: string; trackingId: string } => ({
  id: idOf('s', n),
  domain: `shop-${n}.example`,
  trackingId: `G-${String(n).padStart(10, '0')}`,
});

/** The nth key of all, as its holder has it. */
export const keyOf = (n: number): string => `tm_${String(n).padStart(32, 'k')}`;

/** One site in four has a tracking id; each merchant has one member. */
export function* populated(
  { sites, keysPerSite, sitesPerMerchant }: Population,
  pepper: Pick<KeyPepper, 'digest'>,
): Iterable<Appended> {
  const start = (stream: string, event: NewEvent): Appended => ({ stream, revision: 0, event });
  for (let n = 0; n < sites; n++) {
    const { id: site, domain, trackingId } = siteOf(n);
    const merchant = idOf('m', Math.floor(n / sitesPerMerchant));
    if (n % sitesPerMerchant === 0) {
      yield start(merchantStream(merchant), registerMerchant(merchant, `Merchant ${n}`));
      const joined = { merchant, person: idOf('p', n), role: 'owner' };
      yield { ...start(merchantStream(merchant), { type: 'MemberJoined', data: joined }), revision: 1 };
    }
    yield start(`domain-${domain}`, { type: 'DomainClaimed', data: { domain, site } });
    const about = { merchant, domain, name: domain, timezone: 'Europe/Vienna', currency: 'EUR' };
    const trackingIds = n % 4 === 0 ? [trackingId] : [];
    if (trackingIds.length > 0) {
      yield start(`trackingid-${trackingId}`, { type: 'TrackingIdClaimed', data: { trackingId, site } });
    }
    yield start(siteStream(site), createSite(site, { ...about, trackingIds }));
    for (let k = 0; k < keysPerSite; k++) {
      const number = n * keysPerSite + k;
      const key = keyOf(number);
      const id = idOf('k', number);
      const recognised = { prefix: key.slice(0, 10), digest: pepper.digest(key) };
      const scopes = [k === 0 ? ('ingest' as const) : ('stats:read' as const)];
      const draft = { merchant, site, name: 'Website', scopes, expiresAt: null, ...recognised };
      yield start(keyStream(id), issueKey(id, draft));
    }
  }
}

const ROWS_PER_WRITE = 5_000;

/** How many events there are now. */
export async function fillEventStore(pool: Pool, appended: Iterable<Appended>): Promise<number> {
  const client = await pool.connect();
  const copy = client.query(
    copyFrom('COPY event_store.events (position, stream, revision, type, data, metadata) FROM STDIN'),
  );
  let position = 0;
  let rows: string[] = [];
  const flush = async (): Promise<void> => {
    const text = rows.join('');
    rows = [];
    if (!copy.write(text)) await once(copy, 'drain');
  };
  for (const { stream, revision, event } of appended) {
    const data = JSON.stringify(event.data).replaceAll('\\', '\\\\');
    rows.push(`${++position}\t${stream}\t${revision}\t${event.type}\t${data}\t{"by":"operator"}\n`);
    if (rows.length === ROWS_PER_WRITE) await flush();
  }
  await flush();
  copy.end();
  await finished(copy);
  await client.query('ANALYZE event_store.events');
  client.release();
  return position;
}
