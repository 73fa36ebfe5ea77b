import type { AnsweredMeta, AnsweredReport, AnsweredRow, Translate } from './translation.js';
import { aggregate, breakdown, realtimeVisitors, timeseries } from './v1-translation.js';

const CONTEXT = {
  domain: 'shop.example',
  zone: 'Europe/Berlin',
  goals: [],
  // Already the 21st in Berlin.
  now: Date.parse('2026-11-20T23:30:00.400Z'),
};

const report = (results: readonly AnsweredRow[], meta: AnsweredMeta = {}) =>
  ({ results, meta }) as unknown as AnsweredReport;

const queryOf = (translate: Translate<unknown>, parameters: object) =>
  translate({ site_id: 'shop.example', ...parameters }, CONTEXT).query;
const answerOf = (translate: Translate<unknown>, parameters: object, answered: AnsweredReport) =>
  translate({ site_id: 'shop.example', ...parameters }, CONTEXT).answer(answered);

describe('aggregate', () => {
  it('asks for the visitors of the last thirty days of the site when nothing is said', () => {
    expect(queryOf(aggregate, {})).toEqual({
      metrics: ['visitors'],
      date_range: ['2026-10-22', '2026-11-20'],
      filters: [],
    });
  });

  it('asks as it is asked, and ignores what it does not know', () => {
    const parameters = {
      period: 'day',
      date: '2026-01-02',
      metrics: 'visitors, bounce_rate',
      filters: 'visit:country==DE|FR',
      compare: 'previous_period',
      with_imported: 'true',
      property: 'event:page',
    };
    expect(queryOf(aggregate, parameters)).toEqual({
      metrics: ['visitors', 'bounce_rate'],
      date_range: ['2026-01-02', '2026-01-02'],
      filters: [['is', 'visit:country', ['DE', 'FR']]],
      include: { compare: 'previous_period' },
    });
  });

  it('answers each metric with its value', () => {
    const answered = report([{ dimensions: [], metrics: [2, null] }]);
    expect(answerOf(aggregate, { metrics: 'visitors,time_on_page' }, answered)).toEqual({
      results: { visitors: { value: 2 }, time_on_page: { value: null } },
    });
  });

  it('answers with the change against the period before', () => {
    const answered = report([
      { dimensions: [], metrics: [3, 50], comparison: { metrics: [1, 100], change: [200, -50] } },
    ]);
    const parameters = { metrics: 'pageviews,bounce_rate', compare: 'previous_period' };
    expect(answerOf(aggregate, parameters, answered)).toEqual({
      results: {
        pageviews: { value: 3, change: 200, comparison_value: 1 },
        bounce_rate: { value: 50, change: -50, comparison_value: 100 },
      },
    });
  });

  it('says where a number is an estimate', () => {
    const rows: readonly AnsweredRow[] = [{ dimensions: [], metrics: [2] }];
    const sampled = report(rows, { sample_rate: 0.25, sample_error: 0.0349 });
    expect(answerOf(aggregate, {}, sampled)).toEqual({
      results: { visitors: { value: 2 } },
      warning: 'These numbers are estimates from 25 % of the visitors, with a standard error of up to 3.5 %.',
    });
    const sketched = report(rows, { approximate: { visitors: 0.0163 } });
    expect(answerOf(aggregate, {}, sketched)).toEqual({
      results: { visitors: { value: 2 } },
      warning: 'These metrics are estimates, with this standard error: visitors (1.6 %).',
    });
  });
});

describe('timeseries', () => {
  it.each([
    [{ period: 'day' }, 'time:hour'],
    [{ period: '7d' }, 'time:day'],
    [{}, 'time:day'],
    [{ period: 'month' }, 'time:day'],
    [{ period: '6mo' }, 'time:month'],
    [{ period: '12mo' }, 'time:month'],
    [{ period: 'custom', date: '2026-01-01,2026-01-02' }, 'time:day'],
    [{ period: 'day', interval: 'day' }, 'time:day'],
    [{ period: '12mo', interval: 'date' }, 'time:day'],
    [{ period: '30d', interval: 'month' }, 'time:month'],
  ])('of %j is by %s', (parameters, dimension) => {
    expect(queryOf(timeseries, parameters)).toMatchObject({
      dimensions: [dimension],
      include: { time_labels: true },
    });
  });

  it('has the rate of the visitors of each bucket', () => {
    const parameters = { period: '7d', metrics: 'visitors,conversion_rate', filters: 'event:goal==Order' };
    expect(queryOf(timeseries, parameters).metrics).toEqual(['visitors', 'group_conversion_rate']);
  });

  it('has every bucket, with what the vendor writes where nothing happened', () => {
    const metrics =
      'visitors,visits,pageviews,views_per_visit,bounce_rate,visit_duration,events,conversion_rate,time_on_page';
    const answered = report([{ dimensions: ['2026-11-02'], metrics: [5, 6, 7, 1.17, 50, 30, 8, 12.5, 4] }], {
      time_labels: ['2026-11-01', '2026-11-02'],
    });
    expect(answerOf(timeseries, { metrics }, answered)).toEqual({
      results: [
        {
          date: '2026-11-01',
          visitors: 0,
          visits: 0,
          pageviews: 0,
          views_per_visit: 0,
          bounce_rate: 0,
          visit_duration: null,
          events: 0,
          conversion_rate: 0,
          time_on_page: null,
        },
        {
          date: '2026-11-02',
          visitors: 5,
          visits: 6,
          pageviews: 7,
          views_per_visit: 1.17,
          bounce_rate: 50,
          visit_duration: 30,
          events: 8,
          conversion_rate: 12.5,
          time_on_page: 4,
        },
      ],
    });
  });
});

describe('breakdown', () => {
  it('asks for one page of a hundred rows, the largest first', () => {
    expect(queryOf(breakdown, { property: 'visit:source', metrics: 'pageviews,visitors' })).toMatchObject({
      metrics: ['pageviews', 'visitors'],
      dimensions: ['visit:source'],
      filters: [],
      order_by: [
        ['pageviews', 'desc'],
        ['visit:source', 'asc'],
      ],
      pagination: { limit: 100, offset: 0 },
    });
    expect(queryOf(breakdown, { property: 'visit:source', limit: '25', page: '3' })).toMatchObject({
      pagination: { limit: 25, offset: 50 },
    });
  });

  it.each([
    'visit:country',
    'visit:region',
    'visit:city',
    'visit:utm_term',
    'visit:entry_page',
    'visit:exit_page',
  ])('of %s leaves out where it is missing', (property) => {
    expect(queryOf(breakdown, { property, filters: 'visit:os==Mac' }).filters).toEqual([
      ['is', 'visit:os', ['Mac']],
      ['is_not', property, ['(not set)']],
    ]);
  });

  it.each([
    ['visit:source', 'group_conversion_rate'],
    ['event:page', 'group_conversion_rate'],
    ['event:goal', 'conversion_rate'],
    ['event:props:plan', 'conversion_rate'],
  ])('of %s has the %s as its conversion rate', (property, metric) => {
    const parameters = { property, metrics: 'conversion_rate,visitors' };
    expect(queryOf(breakdown, parameters)).toMatchObject({
      metrics: [metric, 'visitors'],
      order_by: [
        [metric, 'desc'],
        [property, 'asc'],
      ],
    });
    const answered = report([{ dimensions: ['a'], metrics: [12.5, 2] }]);
    expect(answerOf(breakdown, parameters, answered)).toEqual({
      results: [{ [property.split(':').at(-1)!]: 'a', conversion_rate: 12.5, visitors: 2 }],
    });
  });

  it('of a version names what it is a version of', () => {
    const parameters = { property: 'visit:browser_version' };
    expect(queryOf(breakdown, parameters).dimensions).toEqual(['visit:browser', 'visit:browser_version']);
    const answered = report([{ dimensions: ['Firefox', '130'], metrics: [2] }]);
    expect(answerOf(breakdown, parameters, answered)).toEqual({
      results: [{ browser: 'Firefox', browser_version: '130', visitors: 2 }],
    });
  });

  it('by time on page alone is ordered by visitors, which it does not show', () => {
    const parameters = { property: 'event:page', metrics: 'time_on_page' };
    expect(queryOf(breakdown, parameters)).toMatchObject({
      metrics: ['time_on_page', 'visitors'],
      order_by: [
        ['visitors', 'desc'],
        ['event:page', 'asc'],
      ],
    });
    const answered = report([{ dimensions: ['/'], metrics: [30, 2] }]);
    expect(answerOf(breakdown, parameters, answered)).toEqual({ results: [{ page: '/', time_on_page: 30 }] });
  });

  it('of a property named like an inherited one is a row like others', () => {
    const answered = report([{ dimensions: ['x'], metrics: [1] }]);
    const answer = answerOf(breakdown, { property: 'event:props:__proto__' }, answered);
    expect(JSON.stringify(answer)).toBe('{"results":[{"__proto__":"x","visitors":1}]}');
  });
});

describe('realtime visitors', () => {
  it('are those of the last five minutes, to the second', () => {
    expect(queryOf(realtimeVisitors, {})).toEqual({
      metrics: ['visitors'],
      date_range: ['2026-11-20T23:25:01.000Z', '2026-11-20T23:30:01.000Z'],
    });
    expect(answerOf(realtimeVisitors, {}, report([{ dimensions: [], metrics: [21] }]))).toBe(21);
  });
});

it.each<[Translate<unknown>, object, RegExp]>([
  [aggregate, { period: 'aosuhsacp' }, /^period: /],
  [aggregate, { period: ['day', '7d'] }, /^period: /],
  [aggregate, { period: 'day', date: 'yesterday' }, /^date: /],
  [aggregate, { period: 'custom' }, /^date: /],
  [aggregate, { metrics: 'pageviews,led_zeppelin' }, /^metrics\[1\]: /],
  [aggregate, { metrics: '' }, /^metrics\[0\]: /],
  [aggregate, { metrics: 'visitors,visitors' }, /^metrics: must not name a metric twice/],
  [aggregate, { metrics: 'scroll_depth' }, /^metrics\[0\]: /],
  [aggregate, { filters: 'nothing' }, /^filters: /],
  [aggregate, { filters: { a: 'b' } }, /^filters: /],
  [timeseries, { interval: 'alskd' }, /^interval: /],
  [breakdown, {}, /^property: is required/],
  [breakdown, { property: 'badproperty' }, /^property: /],
  [breakdown, { property: 'event:props:' }, /^property: /],
  [breakdown, { property: 'event:hostname' }, /^property: /],
  [breakdown, { property: 'time:day' }, /^property: /],
  [breakdown, { property: 'event:page', limit: '1001' }, /^limit: /],
  [breakdown, { property: 'event:page', limit: '-1' }, /^limit: must be a whole number/],
  [breakdown, { property: 'event:page', limit: '0' }, /^limit: /],
  [breakdown, { property: 'event:page', limit: 'bad' }, /^limit: must be a whole number/],
  [breakdown, { property: 'event:page', page: '0' }, /^page: /],
  [breakdown, { property: 'event:page', page: '99999999999999999999' }, /^page: must be a whole number/],
])('%o refuses %j', (translate, parameters, message) => {
  expect(() => queryOf(translate, parameters)).toThrow(message);
});
