// Goals and the rates of them, over sessions few enough to count by hand.
import type { Pool } from 'pg';
import { askFacts, goal } from '../../../../test/asking-facts.js';
import { startReadModels, insertSessions } from '../../../../test/read-model-rows.js';

const SITE = 'site-a';
const DAY = '2026-11-10';
const at = (time: string) => Date.parse(`${DAY}T${time}Z`);

let postgres: { pool: Pool; stop(): Promise<void> };

beforeAll(async () => {
  postgres = await startReadModels();
  await insertSessions(postgres.pool, [
    {
      site: SITE,
      visitor: 1n,
      about: { source: 'Google' },
      events: [
        { at: at('10:00'), page: '/blog/a' },
        { at: at('10:01'), name: 'engagement', page: '/blog/a', scrollDepth: 60 },
        { at: at('10:02'), name: 'Signup', page: '/blog/a', props: { plan: 'pro', seats: 5 } },
        { at: at('10:03'), name: 'Signup', page: '/blog/a', props: { plan: 'free' } },
      ],
    },
    {
      site: SITE,
      visitor: 2n,
      about: { source: 'Google' },
      events: [
        { at: at('11:00'), page: '/blog/b' },
        { at: at('11:01'), name: 'engagement', page: '/blog/b', scrollDepth: 49 },
        { at: at('11:02'), page: '/100%' },
      ],
    },
    {
      site: SITE,
      visitor: 3n,
      about: { source: 'Bing' },
      events: [{ at: at('12:00'), name: 'Signup', page: null, props: { plan: 'free' } }],
    },
    { site: SITE, visitor: 4n, events: [{ at: at('13:00'), page: '/' }] },
    // The same visitor comes back, and reads on after the end of the session.
    {
      site: SITE,
      visitor: 4n,
      events: [
        { at: at('15:00'), page: '/blog' },
        { at: at('15:40'), name: 'engagement', page: '/blog/late', scrollDepth: 100 },
      ],
    },
  ]);
});
afterAll(() => postgres.stop());

const GOALS = [
  goal('Signup', { kind: 'event', name: 'Signup' }),
  goal('Signup for pro', { kind: 'event', name: 'Signup', props: { plan: 'pro' } }),
  goal('Five seats', { kind: 'event', name: 'Signup', props: { seats: '5' } }),
  goal('Visit /blog/*', { kind: 'page', page: '/blog/*' }),
  goal('Visit /100%', { kind: 'page', page: '/100%' }),
  goal('Visit /100*', { kind: 'page', page: '/100*' }),
  goal('Visit /b', { kind: 'page', page: '/b' }),
  goal('Read half', { kind: 'scroll', page: '/blog/*', scrollDepth: 50 }),
];
const ask = async (body: Record<string, unknown>, goals = GOALS) =>
  (await askFacts({ pool: postgres.pool, site: SITE, goals }, { date_range: [DAY, DAY], ...body })).rows;
const only = async (
  filters: readonly unknown[],
  metrics: readonly string[] = ['visitors', 'visits', 'events'],
) => (await ask({ metrics, filters }))[0]!.metrics;

it('as a dimension count an event for each goal it reaches; scrolling adds no events', async () => {
  const rows = await ask({
    metrics: ['visitors', 'visits', 'pageviews', 'events', 'conversion_rate'],
    dimensions: ['event:goal'],
    order_by: [['event:goal', 'asc']],
  });
  expect(rows).toEqual([
    { dimensions: ['Five seats'], metrics: [1, 1, 0, 1, 25] },
    { dimensions: ['Read half'], metrics: [2, 2, 0, 0, 50] },
    { dimensions: ['Signup'], metrics: [2, 2, 0, 3, 50] },
    { dimensions: ['Signup for pro'], metrics: [1, 1, 0, 1, 25] },
    { dimensions: ['Visit /100%'], metrics: [1, 1, 1, 1, 25] },
    { dimensions: ['Visit /100*'], metrics: [1, 1, 1, 1, 25] },
    { dimensions: ['Visit /blog/*'], metrics: [2, 2, 2, 2, 50] },
  ]);
});

it('are no rows where the site has none', async () => {
  expect(await ask({ metrics: ['visitors'], dimensions: ['event:goal'] }, [])).toEqual([]);
});

it('filter by name, by part of a name, and by what is not reached', async () => {
  expect(await only([['is', 'event:goal', ['Signup']]])).toEqual([2, 2, 3]);
  expect(await only([['is', 'event:goal', ['SIGNUP'], { case_sensitive: false }]])).toEqual([2, 2, 3]);
  expect(await only([['is', 'event:goal', ['Signup for pro', 'Visit /100%']]])).toEqual([2, 2, 2]);
  expect(await only([['contains', 'event:goal', ['Visit /b']]])).toEqual([2, 2, 2]);
  expect(await only([['contains', 'event:goal', ['nothing']]])).toEqual([0, 0, 0]);
  // Everything but the three sign-ups; engagement is still no event.
  expect(await only([['is_not', 'event:goal', ['Signup']]])).toEqual([3, 4, 5]);
});

it('of scrolling filter by engagement events, and only by those', async () => {
  expect(
    await only([['is', 'event:goal', ['Read half']]], ['visitors', 'visits', 'pageviews', 'events']),
  ).toEqual([2, 2, 0, 0]);
  expect(await only([['is_not', 'event:goal', ['Read half']]])).toEqual([4, 5, 8]);
});

it('work within trees, beside filters on visits and pages', async () => {
  const either = [
    'or',
    [
      ['is', 'event:goal', ['Signup']],
      ['is', 'event:page', ['/']],
    ],
  ];
  expect(await only([either])).toEqual([3, 3, 4]);
  expect(await only([either, ['is', 'visit:source', ['Bing']]])).toEqual([1, 1, 1]);
  expect(await only([['not', either]])).toEqual([3, 3, 4]);
});

it('are converted by a share of all visitors, goals and properties left out, other filters not', async () => {
  const metrics = ['visitors', 'conversion_rate', 'group_conversion_rate'];
  const filters = [
    ['is', 'event:goal', ['Signup']],
    ['is', 'event:props:plan', ['free']],
  ];
  expect(await ask({ metrics, filters })).toEqual([{ dimensions: [], metrics: [2, 50, 50] }]);
  expect(await ask({ metrics, filters: [...filters, ['is', 'visit:source', ['Google']]] })).toEqual([
    { dimensions: [], metrics: [1, 50, 50] },
  ]);
  expect(
    await ask({
      metrics,
      filters: [
        ['is', 'event:goal', ['Visit /100%']],
        ['is', 'visit:source', ['?']],
      ],
    }),
  ).toEqual([{ dimensions: [], metrics: [0, 0, 0] }]);
});

it('are converted within each group by a share of its own visitors', async () => {
  const rows = await ask({
    metrics: ['visitors', 'conversion_rate', 'group_conversion_rate', 'percentage'],
    dimensions: ['visit:source', 'event:goal', 'event:props:plan'],
    filters: [['is', 'event:goal', ['Signup']]],
    order_by: [
      ['visit:source', 'asc'],
      ['event:goal', 'asc'],
      ['event:props:plan', 'asc'],
    ],
  });
  expect(rows).toEqual([
    { dimensions: ['Bing', 'Signup', 'free'], metrics: [1, 25, 100, 50] },
    { dimensions: ['Google', 'Five seats', 'pro'], metrics: [1, 25, 50, 50] },
    { dimensions: ['Google', 'Signup', 'free'], metrics: [1, 25, 50, 50] },
    { dimensions: ['Google', 'Signup', 'pro'], metrics: [1, 25, 50, 50] },
    { dimensions: ['Google', 'Signup for pro', 'pro'], metrics: [1, 25, 50, 50] },
  ]);
});

it('are converted over time within each bucket or of the whole range', async () => {
  const rows = await ask({
    metrics: ['visitors', 'conversion_rate', 'group_conversion_rate'],
    dimensions: ['time:hour'],
    filters: [['is', 'event:goal', ['Signup', 'Read half']]],
    order_by: [['group_conversion_rate', 'desc']],
  });
  expect(rows).toEqual([
    { dimensions: [`${DAY} 10:00:00`], metrics: [1, 25, 100] },
    { dimensions: [`${DAY} 12:00:00`], metrics: [1, 25, 100] },
    { dimensions: [`${DAY} 15:00:00`], metrics: [1, 25, 100] },
  ]);
});

it('never convert more than all, though attention outlives its session', async () => {
  const after = [`${DAY}T15:30:00Z`, `${DAY}T16:00:00Z`];
  const rows = await ask({
    metrics: ['visitors', 'visits', 'conversion_rate', 'group_conversion_rate'],
    date_range: after,
    filters: [['is', 'event:goal', ['Read half']]],
  });
  expect(rows).toEqual([{ dimensions: [], metrics: [1, 1, 100, 100] }]);
});

it('count visits by an interactive custom event as engaged, as more pages or seconds do', async () => {
  const engaged = async (goals = GOALS) =>
    (
      await ask(
        {
          metrics: ['engaged_visits', 'visits'],
          dimensions: ['visit:source'],
          order_by: [['visit:source', 'asc']],
        },
        goals,
      )
    ).map(({ dimensions, metrics }) => [...dimensions, ...metrics]);
  expect(await engaged()).toEqual([
    ['Bing', 1, 1],
    ['Direct / None', 0, 2],
    ['Google', 2, 2],
  ]);
  expect(await engaged([])).toEqual([
    ['Bing', 0, 1],
    ['Direct / None', 0, 2],
    ['Google', 2, 2],
  ]);
});
