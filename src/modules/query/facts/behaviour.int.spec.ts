// What a session did elsewhere, properties, names of countries, and who is new: by hand-counted sessions.
import type { Pool } from 'pg';
import { askFacts, goal } from '../../../../test/asking-facts.js';
import { startReadModels, insertSessions } from '../../../../test/read-model-rows.js';

const SITE = 'site-a';
const DAY = '2026-11-10';
const at = (time: string, date = DAY) => Date.parse(`${date}T${time}Z`);

let postgres: { pool: Pool; stop(): Promise<void> };

beforeAll(async () => {
  postgres = await startReadModels();
  await insertSessions(postgres.pool, [
    { site: SITE, visitor: 1n, events: [{ at: at('09:00', '2026-11-01'), page: '/' }] },
    {
      site: SITE,
      visitor: 1n,
      about: { country: 'DE', region: 'Bayern', city: 'Passau' },
      events: [
        { at: at('10:00'), page: '/' },
        { at: at('10:05'), page: '/pricing' },
        {
          at: at('10:10'),
          name: 'Signup',
          page: '/pricing',
          props: { plan: 'pro', 'seats "x"': 5, trial: true },
        },
      ],
    },
    {
      site: SITE,
      visitor: 2n,
      about: { country: 'CI' },
      events: [
        { at: at('11:00'), page: '/pricing' },
        { at: at('11:05'), page: '/' },
      ],
    },
    {
      site: SITE,
      visitor: 3n,
      about: { country: 'AT' },
      // It signs up on the next day.
      events: [
        { at: at('23:50'), page: '/' },
        { at: at('00:05', '2026-11-11'), name: 'Signup', page: '/', visitor: 30n, props: { plan: 'free' } },
      ],
    },
    {
      site: SITE,
      visitor: 30n,
      about: { country: 'AT' },
      events: [{ at: at('12:00', '2026-11-11'), page: '/' }],
    },
  ]);
});
afterAll(() => postgres.stop());

const GOALS = [goal('Signup', { kind: 'event', name: 'Signup' })];
const ask = async (body: Record<string, unknown>) =>
  (await askFacts({ pool: postgres.pool, site: SITE, goals: GOALS }, { date_range: [DAY, DAY], ...body }))
    .rows;
const only = async (filters: readonly unknown[], more: Record<string, unknown> = {}) =>
  (await ask({ metrics: ['visitors', 'visits', 'pageviews'], filters, ...more }))[0]!.metrics;

describe('has_done', () => {
  it('keeps all events of the sessions that did it within the range', async () => {
    expect(await only([['has_done', ['is', 'event:goal', ['Signup']]]])).toEqual([1, 1, 2]);
    expect(
      await only([['has_done', ['is', 'event:name', ['Signup']]]], { date_range: [DAY, '2026-11-11'] }),
    ).toEqual([3, 2, 3]);
  });

  it('is left by has_not_done to all others', async () => {
    expect(await only([['has_not_done', ['is', 'event:goal', ['Signup']]]])).toEqual([2, 2, 3]);
    expect(await only([['not', ['has_not_done', ['is', 'event:goal', ['Signup']]]]])).toEqual([1, 1, 2]);
  });

  it('combines with what single events must be', async () => {
    const filters = [
      ['is', 'event:page', ['/pricing']],
      ['has_done', ['is', 'event:props:plan', ['pro']]],
    ];
    expect(await only(filters)).toEqual([1, 1, 1]);
    expect(await only([['or', filters]])).toEqual([2, 2, 3]);
  });

  it('asks one event for everything it holds, and the visit beside', async () => {
    const sameEvent = [
      'and',
      [
        ['is', 'event:name', ['Signup']],
        ['is', 'event:page', ['/']],
      ],
    ];
    expect(await only([['has_done', sameEvent]])).toEqual([0, 0, 0]);
    const inGermany = [
      'and',
      [
        ['is', 'event:name', ['Signup']],
        ['is', 'visit:country', ['DE']],
      ],
    ];
    expect(await only([['has_done', inGermany]])).toEqual([1, 1, 2]);
  });
});

describe('properties', () => {
  it('group events by their value as text, those without by (none)', async () => {
    const rows = await ask({
      metrics: ['visitors', 'events'],
      dimensions: ['event:props:plan', 'event:props:trial'],
      order_by: [['event:props:plan', 'asc']],
    });
    expect(rows).toEqual([
      { dimensions: ['(none)', '(none)'], metrics: [3, 5] },
      { dimensions: ['pro', 'true'], metrics: [1, 1] },
    ]);
  });

  it('are filtered on by every operator, whatever their name', async () => {
    const events = async (filter: readonly unknown[]) =>
      (await ask({ metrics: ['events'], filters: [filter] }))[0]!.metrics[0];
    expect(await events(['is', 'event:props:seats "x"', ['5']])).toBe(1);
    expect(await events(['is_not', 'event:props:plan', ['pro']])).toBe(5);
    expect(await events(['is', 'event:props:plan', ['(none)']])).toBe(5);
    expect(await events(['matches', 'event:props:plan', ['^PR'], { case_sensitive: false }])).toBe(1);
    expect(await events(['contains', "event:props:' OR 1=1 --", ['x']])).toBe(0);
  });
});

describe('names of places', () => {
  it('are shown for countries, and ordered by', async () => {
    const rows = await ask({
      metrics: ['visits'],
      dimensions: ['visit:country_name', 'visit:region_name', 'visit:city_name'],
      order_by: [['visit:country_name', 'asc']],
    });
    expect(rows.map(({ dimensions }) => dimensions)).toEqual([
      ['Austria', '(not set)', '(not set)'],
      ['Côte d’Ivoire', '(not set)', '(not set)'],
      ['Germany', 'Bayern', 'Passau'],
    ]);
  });

  it('are filtered on', async () => {
    expect(await only([['is', 'visit:country_name', ['Germany']]])).toEqual([1, 1, 2]);
    expect(await only([['contains', 'visit:country_name', ['d’ivoire'], { case_sensitive: false }]])).toEqual(
      [1, 1, 2],
    );
    expect(await only([['is_not', 'visit:country_name', ['Austria', 'Germany']]])).toEqual([1, 1, 2]);
  });
});

describe('new visitors', () => {
  it('are those in their first session as far as the facts know', async () => {
    expect(await ask({ metrics: ['visitors', 'new_visitors'] })).toEqual([
      { dimensions: [], metrics: [3, 2] },
    ]);
    expect(
      await ask({ metrics: ['new_visitors'], dimensions: ['event:page'], order_by: [['event:page', 'asc']] }),
    ).toEqual([
      { dimensions: ['/'], metrics: [2] },
      { dimensions: ['/pricing'], metrics: [1] },
    ]);
  });

  it('stay new in a session that goes on under their next id, which is not new again after it', async () => {
    const rows = await ask({
      metrics: ['visitors', 'new_visitors', 'visits'],
      dimensions: ['time:day'],
      date_range: [DAY, '2026-11-11'],
    });
    expect(rows).toEqual([
      { dimensions: [DAY], metrics: [3, 2, 3] },
      { dimensions: ['2026-11-11'], metrics: [1, 1, 2] },
    ]);
    expect(
      await ask({
        metrics: ['visitors', 'new_visitors'],
        date_range: ['2026-11-11T06:00:00Z', '2026-11-12T00:00:00Z'],
      }),
    ).toEqual([{ dimensions: [], metrics: [1, 0] }]);
  });
});

it('percentages are of the whole query', async () => {
  const rows = await ask({
    metrics: ['percentage'],
    dimensions: ['event:page'],
    order_by: [['percentage', 'desc']],
  });
  expect(rows).toEqual([
    { dimensions: ['/'], metrics: [100] },
    { dimensions: ['/pricing'], metrics: [66.67] },
  ]);
});
