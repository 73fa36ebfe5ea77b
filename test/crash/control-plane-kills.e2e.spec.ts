// The product killed with -9 while people change merchants, invitations, sites and keys: whatever was acknowledged
// is there after the restart, and the tables of the control plane are what the streams say.
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { PostgresEventStore } from '../../src/event-store/postgres.event-store.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { controlRows, foldedRows } from '../control-rows.js';
import { OperatedProduct } from '../e2e/operated-product.js';
import { random } from '../traffic.js';

const KILLS = 4;
const CLIENTS = 4;
const SEED = Number(process.env['CRASH_TEST_SEED'] ?? Date.now() % 1_000_000);

let product: OperatedProduct;

beforeAll(async () => {
  product = await OperatedProduct.start({ ROLE: 'api' });
}, 120_000);
afterAll(() => product?.stop());

/** Undefined: there was no answer, and nobody knows whether it was done. */
async function tried(method: string, path: string, body?: unknown): Promise<Response | undefined> {
  return product.call(method, path, body).catch(() => undefined);
}

describe(`kill -9 of the control plane (CRASH_TEST_SEED=${SEED})`, () => {
  const next = random(SEED);
  /** By id, as it was when its client last heard: what must be there at the end. */
  const merchants = new Map<string, { name: string; invitations: Set<string>; sites: Set<string> }>();
  let isOver = false;

  async function client(number: number): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const created = await tried('POST', '/admin/v1/merchants', { name: `${number}.${turn}` });
      if (created?.status !== 201) {
        await sleep(20);
        continue;
      }
      const { id } = (await created.json()) as { id: string };
      const merchant = {
        name: `${number}.${turn}`,
        invitations: new Set<string>(),
        sites: new Set<string>(),
      };
      merchants.set(id, merchant);
      await change(id, merchant, `${number}-${turn}`);
    }
  }

  async function change(id: string, merchant: NonNullable<ReturnType<typeof merchants.get>>, mark: string) {
    const invitations = `/v1/merchant/invitations`;
    for (let n = 0; n < 3; n++) {
      const body = { email: `${mark}-${n}@people.example`, role: 'viewer' };
      const invited = await tried('POST', `${invitations}?merchant=${id}`, body);
      if (invited?.status !== 201) continue;
      const sent = (await invited.json()) as { id: string };
      if (next() < 0.5) merchant.invitations.add(sent.id);
      else await tried('DELETE', `${invitations}/${sent.id}?merchant=${id}`);
    }
    const site = await tried('POST', '/v1/sites', { domain: `${mark}.example`, merchant: id });
    if (site?.status === 201) merchant.sites.add(((await site.json()) as { id: string }).id);
    await tried('POST', '/v1/keys', { name: 'k', scopes: ['stats:read'], merchant: id });
  }

  it('loses nothing that was acknowledged, and leaves tables that agree with the streams', async () => {
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
    for (let kills = 0; kills < KILLS; kills++) {
      await sleep(300 + next() * 700);
      await product.kill('SIGKILL');
      await product.startAgain();
    }
    await sleep(300);
    isOver = true;
    await Promise.all(clients);
    expect(merchants.size).toBeGreaterThan(KILLS);

    const listed = (await (await product.call('GET', '/admin/v1/merchants?limit=1000')).json()) as {
      merchants: { id: string; name: string; sites: number }[];
    };
    const pool = new Pool({ connectionString: product.postgres.url });
    const rows = await controlRows(pool);
    const eventStore = new PostgresEventStore(pool, new Telemetry('silent'));
    expect(rows).toEqual(await foldedRows(eventStore));
    await eventStore.close();
    await pool.end();

    for (const [id, { name, invitations, sites }] of merchants) {
      expect(listed.merchants).toContainEqual(expect.objectContaining({ id, name }));
      const there = new Set(rows.invitations.map(({ invitation }) => invitation));
      expect([...invitations].filter((one) => !there.has(one))).toEqual([]);
      const known = new Set(rows.sites.map(({ site }) => site));
      expect([...sites].filter((one) => !known.has(one))).toEqual([]);
    }
  }, 120_000);
});
