// Attention: how long and how deep was read, over sessions few enough to count by hand.
import type { Pool } from 'pg';
import { askFacts } from '../../../../test/asking-facts.js';
import { startReadModels, insertSessions } from '../../../../test/read-model-rows.js';

const SITE = 'site-a';
const DAY = '2026-11-10';
const at = (time: string, date = DAY) => Date.parse(`${date}T${time}Z`);

let postgres: { pool: Pool; stop(): Promise<void> };

beforeAll(async () => {
  postgres = await startReadModels();
  await insertSessions(postgres.pool, [
    {
      site: SITE,
      visitor: 1n,
      about: { country: 'DE' },
      events: [
        { at: at('10:00'), page: '/a' },
        { at: at('10:01'), name: 'engagement', page: '/a', engagementMs: 40_000, scrollDepth: 30 },
        { at: at('10:02'), name: 'engagement', page: '/a', engagementMs: 5_500, scrollDepth: 80 },
        { at: at('10:03'), page: '/b' },
        { at: at('10:04'), name: 'engagement', page: '/b', engagementMs: 2_000, scrollDepth: 10 },
      ],
    },
    {
      site: SITE,
      visitor: 2n,
      about: { country: 'AT' },
      events: [
        { at: at('11:00'), page: '/a' },
        { at: at('11:01'), name: 'engagement', page: '/a', scrollDepth: 25 },
        { at: at('11:02'), page: '/c' },
      ],
    },
    {
      site: SITE,
      visitor: 3n,
      about: { country: 'AT' },
      // Its attention is told after midnight, when the session itself is over.
      events: [
        { at: at('23:50'), page: '/a' },
        {
          at: at('00:10', '2026-11-11'),
          name: 'engagement',
          page: '/a',
          engagementMs: 60_000,
          scrollDepth: 100,
        },
      ],
    },
    {
      site: SITE,
      visitor: 4n,
      bot: true,
      events: [
        { at: at('12:00'), page: '/a' },
        { at: at('12:01'), name: 'engagement', page: '/a', engagementMs: 9_000_000, scrollDepth: 1 },
      ],
    },
  ]);
});
afterAll(() => postgres.stop());

const ask = async (body: Record<string, unknown>) =>
  (await askFacts({ pool: postgres.pool, site: SITE }, { date_range: [DAY, DAY], ...body })).rows;

it('tells time on page and scroll depth of each page, and null where nobody told any', async () => {
  const rows = await ask({
    metrics: ['visitors', 'time_on_page', 'scroll_depth'],
    dimensions: ['event:page'],
    order_by: [['event:page', 'asc']],
  });
  expect(rows).toEqual([
    // 45.5 s of one session: ties to even. Deepest scrolls 80 and 25.
    { dimensions: ['/a'], metrics: [3, 46, 52] },
    { dimensions: ['/b'], metrics: [1, 2, 10] },
    { dimensions: ['/c'], metrics: [1, null, null] },
  ]);
});

it('tells them of filtered pages, each session by its deepest scroll among them', async () => {
  const filters = [['is', 'event:page', ['/a', '/b']]];
  expect(await ask({ metrics: ['time_on_page', 'scroll_depth'], filters })).toEqual([
    { dimensions: [], metrics: [48, 52] },
  ]);
  const byCountry = await ask({
    metrics: ['time_on_page', 'scroll_depth'],
    filters,
    dimensions: ['visit:country'],
    order_by: [['scroll_depth', 'asc']],
  });
  expect(byCountry).toEqual([
    { dimensions: ['AT'], metrics: [null, 25] },
    { dimensions: ['DE'], metrics: [48, 80] },
  ]);
});

it('orders what is null last, both ways', async () => {
  for (const direction of ['asc', 'desc']) {
    const rows = await ask({
      metrics: ['time_on_page'],
      dimensions: ['event:page'],
      order_by: [['time_on_page', direction]],
    });
    expect(rows.at(-1)).toEqual({ dimensions: ['/c'], metrics: [null] });
  }
});

it('counts attention at its own time, also of sessions that are over', async () => {
  const filters = [['is', 'event:page', ['/a']]];
  const metrics = ['visits', 'engagement_time', 'time_on_page', 'scroll_depth'];
  const nextDay = { date_range: ['2026-11-11', '2026-11-11'] };
  expect(await ask({ metrics, filters, ...nextDay })).toEqual([
    { dimensions: [], metrics: [0, 60, 60, 100] },
  ]);
  expect(await ask({ metrics: ['visits', 'engagement_time'], ...nextDay })).toEqual([
    { dimensions: [], metrics: [0, 60] },
  ]);
});

it('makes no row of attention alone', async () => {
  const rows = await ask({
    metrics: ['visits', 'engagement_time'],
    dimensions: ['time:day'],
    date_range: [DAY, '2026-11-11'],
  });
  expect(rows).toEqual([{ dimensions: [DAY], metrics: [3, 48] }]);
});

it('sums engagement up over sessions, with and without a look at single events', async () => {
  expect(await ask({ metrics: ['engagement_time'] })).toEqual([{ dimensions: [], metrics: [48] }]);
  expect(await ask({ metrics: ['engagement_time'], include: { bots: true } })).toEqual([
    { dimensions: [], metrics: [9_048] },
  ]);
  expect(await ask({ metrics: ['engagement_time', 'visitors'], dimensions: ['visit:country'] })).toEqual([
    { dimensions: ['DE'], metrics: [48, 1] },
    { dimensions: ['AT'], metrics: [0, 2] },
  ]);
});
