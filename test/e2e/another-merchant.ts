// A merchant and its site, written into the event store of a running product as commands write them: over HTTP,
// the operator's key makes sites of the operator's merchant only.
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresEventStore } from '../../src/event-store/postgres.event-store.js';
import { registerMerchant, merchantStream } from '../../src/modules/auth/merchants/merchant.aggregate.js';
import { bySystem } from '../../src/modules/auth/origin.js';
import { CHANCE } from '../../src/modules/auth/random-ids.js';
import { claimNames } from '../../src/modules/auth/sites/name-claim.js';
import { createSite, siteStream } from '../../src/modules/auth/sites/site.aggregate.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import type { OperatedProduct } from './operated-product.js';

const BY = bySystem('a test');
const POLL_MS = 50;

/** Ids of the sites, once the product knows them. */
export async function anotherMerchant(
  product: OperatedProduct,
  merchant: string,
  domains: readonly string[],
): Promise<readonly string[]> {
  const store = new PostgresEventStore(product.postgres.pool, new Telemetry('silent'));
  await store.append(
    merchantStream(merchant),
    [{ ...registerMerchant(merchant, 'Another'), metadata: BY }],
    'none',
  );
  const sites = await Promise.all(
    domains.map(async (domain) => {
      const site = CHANCE.newId('s');
      const { outcome } = await claimNames(store, [{ domain }], { site, origin: BY });
      if (outcome === 'name-taken') throw new Error(`${domain} is taken`);
      const draft = { merchant, domain, name: domain, timezone: 'UTC', currency: 'EUR', trackingIds: [] };
      await store.append(siteStream(site), [{ ...createSite(site, draft), metadata: BY }], 'none');
      return site;
    }),
  );
  for (const site of sites) {
    while (!(await product.call('GET', `/v1/sites/${site}`)).ok) await sleep(POLL_MS);
  }
  return sites;
}
