// Several intake processes' meters on one real PostgreSQL, flushed by hand.
import { randomUUID } from 'node:crypto';
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { QuotaWarnings } from './quota-warnings.js';
import { quotaStream } from './quota.aggregate.js';
import { QuotaDirectory } from './quota.directory.js';
import { UsageMeter } from './usage-meter.js';
import { endOfMonth } from './usage-month.js';
import { UsageTable } from './usage-table.js';
import { NO_EVENTS } from './usage-tally.js';

const NOW = Date.UTC(2026, 10, 22);
const MONTH = '2026-11';
const END = endOfMonth(MONTH);

let postgres: MigratedPostgres;
let plane: ControlPlane;
let table: UsageTable;
let failures: unknown[];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool);
  table = plane.app.get(UsageTable);
});
beforeEach(() => (failures = []));
afterEach(() => expect(failures).toEqual([]));
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

const startMeter = (over: Pick<UsageTable, 'add' | 'totals'> = table): UsageMeter => {
  const quotas = plane.app.get(QuotaDirectory);
  const warnings = new QuotaWarnings(plane.app.get(EventStore), quotas, () => NOW);
  return new UsageMeter({
    table: over as UsageTable,
    quotas,
    warnings,
    onFailure: (one) => failures.push(one),
  });
};

const newMerchant = async (eventsPerMonth: number | null, gracePercent = 0): Promise<string> => {
  const { id } = (await plane.call('POST', '/admin/v1/merchants', { body: { name: 'm' } })).body;
  const body = { eventsPerMonth, gracePercent };
  const set = await plane.call('PUT', `/admin/v1/merchants/${id}/quota`, { body });
  expect(set).toMatchObject({ status: 200, body: { ...body, merchant: id, isDefault: false } });
  return id;
};
const append = (
  meter: UsageMeter,
  merchant: string,
  { events = 1, site = `s-${merchant}`, at = NOW } = {},
) => {
  const waitSeconds = meter.waitSeconds(merchant, at);
  if (waitSeconds === 0) meter.appended({ ...NO_EVENTS, merchant, site, events }, at);
  return waitSeconds;
};
const totalOf = async (merchant: string, month = MONTH) =>
  (await table.totals(month, [merchant])).get(merchant) ?? 0;
const warningsOf = async (merchant: string): Promise<readonly unknown[]> => {
  const percents: unknown[] = [];
  for await (const { type, data } of plane.app.get(EventStore).readStream(quotaStream(merchant))) {
    if (type === 'QuotaWarned') percents.push(data.percent);
  }
  return percents;
};

it('writes down what was appended, by site and month', async () => {
  const merchant = await newMerchant(null);
  const meter = startMeter();
  append(meter, merchant, { events: 3 });
  append(meter, merchant, { site: `t-${merchant}` });
  append(meter, merchant, { at: END });
  append(meter, merchant, { at: END - 1 });
  await meter.flush();
  await meter.flush();
  expect([await totalOf(merchant), await totalOf(merchant, '2026-12')]).toEqual([5, 1]);
  expect(await table.sites({ merchant, month: MONTH, hiddenFrom: null, after: '', limit: 9 })).toEqual([
    { site: `s-${merchant}`, events: 4, hiddenEvents: 0, droppedEvents: 0 },
    { site: `t-${merchant}`, events: 1, hiddenEvents: 0, droppedEvents: 0 },
  ]);
});

it('counts a flush once whose answer was lost, with what came meanwhile beside it', async () => {
  const merchant = await newMerchant(null);
  let lost = 0;
  const meter = startMeter({
    add: async (flush) => {
      await table.add(flush);
      if (lost++ < 2) throw new Error('the answer is lost');
    },
    totals: (...asked) => table.totals(...asked),
  });
  append(meter, merchant, { events: 5 });
  await meter.flush();
  append(meter, merchant, { events: 2 });
  await meter.flush();
  append(meter, merchant, { events: 1 });
  await meter.flush();
  expect(await totalOf(merchant)).toBe(8);
  expect(failures.splice(0)).toHaveLength(2);
});

it('keeps what cannot be written, and holds to the quota by it', async () => {
  const merchant = await newMerchant(10);
  let isAway = true;
  const away = () => Promise.reject(new Error('away'));
  const meter = startMeter({
    add: (flush) => (isAway ? away() : table.add(flush)),
    totals: (...asked) => (isAway ? away() : table.totals(...asked)),
  });
  for (let event = 0; event < 10; event++) expect(append(meter, merchant)).toBe(0);
  await meter.flush();
  expect(append(meter, merchant)).toBeGreaterThan(0);
  isAway = false;
  failures.splice(0);
  await meter.flush();
  expect(await totalOf(merchant)).toBe(10);
  expect(append(meter, merchant)).toBeGreaterThan(0);
});

it('holds several nodes to one quota, within what comes between two flushes', async () => {
  const merchant = await newMerchant(100, 10);
  const nodes = [startMeter(), startMeter()];
  let taken = 0;
  for (let round = 0; round < 40; round++) {
    for (const node of nodes) for (let n = 0; n < 2; n++) taken += append(node, merchant) === 0 ? 1 : 0;
    for (const node of nodes) await node.flush();
  }
  expect(taken).toBeGreaterThanOrEqual(110);
  expect(taken).toBeLessThanOrEqual(110 + 4);
  expect(await totalOf(merchant)).toBe(taken);
  const later = startMeter();
  expect(append(later, merchant)).toBe(0);
  await later.flush();
  expect(append(later, merchant)).toBe((END - NOW) / 1000);
  expect(append(later, merchant, { at: END })).toBe(0);
});

it('warns once of each threshold, however many nodes notice at the same time', async () => {
  const merchant = await newMerchant(100, 10);
  const nodes = Array.from({ length: 4 }, () => startMeter());
  for (let round = 0; round < 40; round++) {
    for (const node of nodes) append(node, merchant);
    await Promise.all(nodes.map((node) => node.flush()));
    if (round % 5 === 0) await plane.app.get(DirectoryFollower).settle();
  }
  expect(await warningsOf(merchant)).toEqual([80, 100, 110]);
  const { body } = await plane.call('GET', '/admin/v1/audit?limit=1000');
  expect(JSON.stringify(body)).toContain('QuotaWarned');
});

it('loses of a killed process what it had not flushed, and counts on', async () => {
  const merchant = await newMerchant(null);
  const killed = startMeter();
  append(killed, merchant, { events: 5 });
  await killed.flush();
  append(killed, merchant, { events: 7 });
  const next = startMeter();
  append(next, merchant, { events: 1 });
  await next.flush();
  expect(await totalOf(merchant)).toBe(6);
});

it('forgets flushes of processes that are long gone, and no usage with them', async () => {
  const merchant = await newMerchant(null);
  const node = randomUUID();
  await table.add({
    node,
    number: 1,
    usages: [{ ...NO_EVENTS, merchant, site: 's', month: MONTH, events: 1 }],
  });
  await postgres.pool.query(
    `UPDATE usage_flushes SET flushed_at = now() - interval '8 days' WHERE node = $1`,
    [node],
  );
  await table.forgetOldFlushes();
  const { rowCount } = await postgres.pool.query('SELECT FROM usage_flushes WHERE node = $1', [node]);
  expect([rowCount, await totalOf(merchant)]).toEqual([0, 1]);
});

describe('beyond a quota that hides', () => {
  it('says so once for all nodes, and counts what is hidden and not kept apart', async () => {
    const merchant = await newMerchant(10);
    const path = `/admin/v1/merchants/${merchant}/quota`;
    await plane.call('PUT', path, { body: { eventsPerMonth: 10, policy: 'hide' } });
    const nodes = Array.from({ length: 4 }, () => startMeter());
    for (let round = 0; round < 6; round++) {
      for (const node of nodes) expect(append(node, merchant)).toBe(0);
      await Promise.all(nodes.map((node) => node.flush()));
    }
    await plane.app.get(DirectoryFollower).settle();
    const [excess, ...more] = plane.app.get(QuotaDirectory).excessesOf(merchant);
    expect([more, excess]).toMatchObject([[], { policy: 'hide', to: END }]);
    const during = { occurredAt: excess!.from, receivedAt: excess!.from };
    expect(nodes[0]!.excessFor(merchant, during)).toEqual(excess);
    for (const node of nodes) {
      const hidden = { hiddenFrom: excess!.from, hiddenEvents: 2, events: 3, droppedEvents: 0 };
      node.appended({ merchant, site: 's', ...hidden }, NOW);
      node.dropped({ merchant, site: 's' }, NOW);
      await node.flush();
    }
    const of = { merchant, month: MONTH };
    const used = { events: 24 + 12, hiddenEvents: 8, droppedEvents: 4 };
    expect(await table.total({ ...of, hiddenFrom: excess!.from })).toEqual(used);
    // What was hidden in an earlier time has been shown.
    expect(await table.total({ ...of, hiddenFrom: excess!.from + 1 })).toEqual({ ...used, hiddenEvents: 0 });
    expect(await table.total({ ...of, hiddenFrom: null })).toEqual({ ...used, hiddenEvents: 0 });
  });
});
