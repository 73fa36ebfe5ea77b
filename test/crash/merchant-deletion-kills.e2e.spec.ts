// A merchant is deleted while its process is killed with -9 again and again: after the event, among its sites, among
// its keys, among its rows. The next one goes on. In the end no table holds anything of it, and another merchant has
// all that it had.
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatedProduct } from '../e2e/operated-product.js';
import { rowsLeft } from './rows-left.js';

const SITES = 4;
const EVENTS_PER_SITE = 60;
const PATIENCE_MS = 180_000;

interface Deletion {
  readonly kind: 'site' | 'merchant';
  readonly state: string;
  readonly left: number;
  readonly rows: number;
}

let product: OperatedProduct;
let gone: string;
let stays: string;
const keys: string[] = [];

beforeAll(async () => {
  product = await OperatedProduct.start({ TRACKING_LOG_PARTITIONS: '2' });
  gone = (await product.said<{ id: string }>('POST', '/admin/v1/merchants', { name: 'Gone' })).id;
  stays = (await product.said<{ id: string }>('POST', '/admin/v1/merchants', { name: 'Stays' })).id;
  for (let n = 0; n < SITES; n++) {
    for (const merchant of [gone, stays]) {
      const domain = domainOf(merchant, n);
      await product.said('POST', '/v1/sites', { domain, merchant });
      const scoped = { name: 'k', scopes: ['ingest'] };
      const { key } = await product.said<{ key: string }>('POST', `/v1/sites/${domain}/keys`, scoped);
      if (merchant === gone) keys.push(key);
      await product.said('POST', '/v1/events', {
        events: Array.from({ length: EVENTS_PER_SITE }, (_, index) => ({
          ...{ site: domain, id: `${domain} ${index}`, visitorId: `visitor ${index}`, name: 'pageview' },
          ...{ url: `https://${domain}/`, occurredAt: Date.now() - index * 60_000 },
        })),
      });
    }
  }
  const wide = { name: 'all', scopes: ['stats:read'], merchant: gone };
  keys.push((await product.said<{ key: string }>('POST', '/v1/keys', wide)).key);
  await product.quiet();
  // Counted once a minute, and at the end.
  await product.kill('SIGTERM');
  await product.startAgain();
}, 600_000);
afterAll(() => product?.stop());

const domainOf = (merchant: string, n: number): string => `${merchant.toLowerCase()}-${n}.example`;

const rowsOf = async (merchant: string): Promise<Record<string, number>> => {
  const counts = await rowsLeft(product.postgres.pool, { column: 'merchant', value: merchant });
  for (const id of await sitesOf(merchant)) {
    const ofSite = await rowsLeft(product.postgres.pool, { column: 'site', value: id });
    for (const [table, count] of Object.entries(ofSite)) counts[table] = (counts[table] ?? 0) + count;
  }
  return counts;
};

async function sitesOf(merchant: string): Promise<readonly string[]> {
  const { rows } = await product.postgres.pool.query<{ site: string }>(
    `SELECT data->>'site' AS site FROM event_store.events WHERE type = 'SiteCreated' AND data->>'merchant' = $1`,
    [merchant],
  );
  return rows.map(({ site }) => site);
}

async function deletions(): Promise<readonly Deletion[]> {
  return (
    await product.said<{ deletions: Deletion[] }>('GET', `/admin/v1/deletions?merchant=${gone}&limit=100`)
  ).deletions;
}

async function until(holds: (all: readonly Deletion[]) => boolean): Promise<readonly Deletion[]> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    const all = await deletions();
    if (holds(all)) return all;
    expect(Date.now()).toBeLessThan(deadline);
    await sleep(100);
  }
}

/** Killed there, in the middle of what it began by itself or is told to do; its lease is over. */
async function diesAt(failpoint: string, tell?: () => Promise<unknown>): Promise<void> {
  await product
    .startAgain({ FAILPOINT: failpoint })
    .then(() => tell?.().catch(() => undefined))
    .then(() => product.ended)
    .catch(() => undefined);
  await product.postgres.pool.query(`UPDATE erasures SET until = now() - interval '1 second'`);
}

const counted = async (what: 'sites' | 'keys'): Promise<number> => {
  const { rows } = await product.postgres.pool.query<{ count: string }>(
    `SELECT count(*) FROM event_store.events WHERE type = $1 AND metadata->>'by' = 'deletion'`,
    [what === 'sites' ? 'SiteDeleted' : 'KeyRevoked'],
  );
  return Number(rows[0]!.count);
};

it('goes on wherever it was killed, and leaves nothing of the merchant and all of the other', async () => {
  // Of a site that nobody knows any more: what is the merchant's does not all go with its sites.
  await product.postgres.pool.query(
    `INSERT INTO event_usage SELECT merchant, month, 'lost', events FROM event_usage WHERE merchant = $1 LIMIT 1`,
    [gone],
  );
  const staying = await rowsOf(stays);
  const before = await rowsOf(gone);
  expect(before['public.event_usage']).toBeGreaterThan(0);
  expect(Object.keys(before).length).toBeGreaterThan(5);
  const remove = () => product.said('DELETE', `/admin/v1/merchants/${gone}`, { confirm: 'Gone' });

  await product.kill('SIGTERM');
  await diesAt('deletion.merchant-deleted:0', remove);
  expect([await counted('sites'), await counted('keys')]).toEqual([0, 0]);
  await diesAt('deletion.site-deleted:2');
  expect(await counted('sites')).toBe(3);
  await diesAt('deletion.key-revoked:2');
  expect([await counted('sites'), await counted('keys')]).toEqual([SITES, 3]);

  await product.startAgain();
  // The site's own are refused with it, the merchant's since the event.
  const asked = await fetch(`${product.url}/v1/sites`, {
    headers: { authorization: `Bearer ${keys.at(-1)}` },
  });
  expect(asked.status).toBe(401);
  const all = await until(([first]) => first?.left === 0);
  expect(all.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'merchant waiting',
    ...Array.from({ length: SITES }, () => 'site waiting'),
  ]);
  expect([await counted('sites'), await counted('keys')]).toEqual([SITES, SITES + 1]);
  expect(await remove()).toMatchObject({ state: 'waiting', left: 0 });

  // The grace is over.
  await product.kill('SIGTERM');
  await product.postgres.pool.query(
    `UPDATE control.deletions SET deleted_at = deleted_at - interval '8 days'`,
  );
  await diesAt('deletion.before-commit:3');
  const left = await rowsOf(gone);
  expect(left['public.event_usage']).toBeGreaterThan(0);
  await product.startAgain();
  await until((some) => some.filter(({ kind }) => kind === 'site').every(({ state }) => state === 'erased'));
  // What is the merchant's waits for its sites, until the next round.
  await product.kill('SIGTERM');
  await diesAt('deletion.after-commit:0');
  await product.startAgain();
  const [merchant] = await until(([first]) => first?.state === 'erased');
  expect(merchant!.rows).toBe(1);

  expect(await rowsOf(gone)).toEqual({});
  expect(await rowsOf(stays)).toEqual(staying);
  expect(await remove()).toMatchObject({ state: 'erased' });
  const { rows } = await product.postgres.pool.query(
    `SELECT count(*)::integer AS times FROM event_store.events WHERE type = 'MerchantErased'`,
  );
  expect(rows).toEqual([{ times: 1 }]);
}, 600_000);
