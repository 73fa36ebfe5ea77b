// Revenue: exact sums, one currency or none.
import type { Pool } from 'pg';
import { askFacts, goal } from '../../../../test/asking-facts.js';
import { startReadModels, insertSessions } from '../../../../test/read-model-rows.js';

const SITE = 'site-a';
const DAY = '2026-11-10';
const at = (time: string) => Date.parse(`${DAY}T${time}Z`);
const bought = (time: string, amount: string, currency: string) =>
  ({ at: at(time), name: 'Purchase', revenue: [amount, currency] }) as const;

let postgres: { pool: Pool; stop(): Promise<void> };

beforeAll(async () => {
  postgres = await startReadModels();
  await insertSessions(postgres.pool, [
    {
      site: SITE,
      visitor: 1n,
      about: { country: 'DE', source: 'Google' },
      events: [{ at: at('10:00') }, bought('10:01', '0.1', 'EUR'), bought('10:02', '0.2', 'EUR')],
    },
    {
      site: SITE,
      visitor: 2n,
      about: { country: 'DE' },
      // Beyond what a float can tell apart.
      events: [{ at: at('11:00') }, bought('11:01', '9007199254.740993', 'EUR')],
    },
    {
      site: SITE,
      visitor: 3n,
      about: { country: 'US', source: 'Google' },
      events: [{ at: at('12:00') }, bought('12:01', '5', 'USD'), { at: at('12:02'), name: 'Purchase' }],
    },
    {
      site: SITE,
      visitor: 4n,
      about: { country: 'FR' },
      events: [{ at: at('13:00') }, bought('13:01', '0.0005', 'EUR'), bought('13:02', '0.002', 'EUR')],
    },
    { site: SITE, visitor: 5n, about: { country: 'IT' }, events: [{ at: at('14:00') }] },
  ]);
});
afterAll(() => postgres.stop());

const GOALS = [
  goal('Paid in euros', { kind: 'event', name: 'Purchase' }, 'EUR'),
  goal('Paid in dollars', { kind: 'event', name: 'Purchase' }, 'USD'),
  goal('Bought', { kind: 'event', name: 'Purchase' }),
];
const metrics = ['total_revenue', 'average_revenue'];
const ask = async (body: Record<string, unknown>) =>
  (
    await askFacts(
      { pool: postgres.pool, site: SITE, goals: GOALS },
      { date_range: [DAY, DAY], metrics, ...body },
    )
  ).rows;
const euros = (value: number) => ({ value, currency: 'EUR' });
const dollars = (value: number) => ({ value, currency: 'USD' });

it('is summed exactly and rounded to thousandths, ties to even', async () => {
  const rows = await ask({ dimensions: ['visit:country'], order_by: [['visit:country', 'asc']] });
  expect(rows).toEqual([
    { dimensions: ['DE'], metrics: [euros(9_007_199_255.041), euros(3_002_399_751.68)] },
    // 2,500 and 1,250 millionths.
    { dimensions: ['FR'], metrics: [euros(0.002), euros(0.001)] },
    { dimensions: ['IT'], metrics: [null, null] },
    { dimensions: ['US'], metrics: [dollars(5), dollars(5)] },
  ]);
});

it('orders by what is shown, nothing last', async () => {
  const rows = await ask({ dimensions: ['visit:country'], order_by: [['average_revenue', 'desc']] });
  expect(rows.map(({ dimensions }) => dimensions[0])).toEqual(['DE', 'US', 'FR', 'IT']);
});

it('of several currencies is null, for nothing is converted', async () => {
  expect(await ask({})).toEqual([{ dimensions: [], metrics: [null, null] }]);
  const rows = await ask({ dimensions: ['visit:source'], order_by: [['visit:source', 'asc']] });
  expect(rows).toEqual([
    { dimensions: ['Direct / None'], metrics: [euros(9_007_199_254.743), euros(3_002_399_751.581)] },
    { dimensions: ['Google'], metrics: [null, null] },
  ]);
});

it('is that of matching events, whichever way they are told apart', async () => {
  const expected = [{ dimensions: [], metrics: [dollars(5), dollars(5)] }];
  expect(await ask({ filters: [['is', 'visit:country', ['US']]] })).toEqual(expected);
  const filters = [
    ['is', 'visit:country', ['US']],
    ['is', 'event:name', ['Purchase']],
  ];
  expect(await ask({ filters })).toEqual(expected);
  expect(await ask({ filters: [['is', 'event:name', ['pageview']]] })).toEqual([
    { dimensions: [], metrics: [null, null] },
  ]);
});

it("of a goal is what came in the goal's currency", async () => {
  const rows = await ask({ dimensions: ['event:goal'], order_by: [['event:goal', 'asc']] });
  expect(rows).toEqual([
    { dimensions: ['Bought'], metrics: [null, null] },
    { dimensions: ['Paid in dollars'], metrics: [dollars(5), dollars(5)] },
    { dimensions: ['Paid in euros'], metrics: [euros(9_007_199_255.043), euros(1_801_439_851.009)] },
  ]);
  expect(await ask({ filters: [['is', 'event:goal', ['Paid in dollars']]] })).toEqual([
    { dimensions: [], metrics: [dollars(5), dollars(5)] },
  ]);
});

it('goes by day, too', async () => {
  expect(await ask({ dimensions: ['time:day'], filters: [['is', 'visit:country', ['FR']]] })).toEqual([
    { dimensions: [DAY], metrics: [euros(0.002), euros(0.001)] },
  ]);
});
