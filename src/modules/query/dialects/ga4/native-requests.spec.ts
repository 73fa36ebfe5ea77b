import { goalsRequest, mainRequest, nativePage } from './native-requests.js';
import { reportRequestSchema } from './ga4-request.js';
import { type Plan, planReport } from './plan.js';
import { planDateRanges } from './ranges.js';

const WEEK = [{ startDate: '2026-11-02', endDate: '2026-11-08' }];
const names = (...list: readonly string[]) => list.map((name) => ({ name }));

function planned(request: object): Plan {
  const parsed = reportRequestSchema.parse({ dateRanges: WEEK, ...request });
  return planReport(parsed, planDateRanges(parsed.dateRanges, { zone: 'UTC', now: 0 }), 'core');
}

const FIRST = { limit: 10, offset: 0 };
const main = (plan: Plan) => mainRequest(plan, plan.ranges[0]!, FIRST);

it('asks each native metric once, and for what ratios are made of', () => {
  const plan = planned({
    dimensions: names('pagePath', 'date', 'yearMonth'),
    metrics: names('bounceRate', 'totalUsers', 'activeUsers', 'sessions'),
  });
  expect(main(plan)).toMatchObject({
    metrics: ['visits', 'engaged_visits', 'visitors'],
    dimensions: ['time:day', 'event:page'],
    date_range: ['2026-11-02', '2026-11-08'],
    filters: [],
  });
});

it('begins weeks where the dimension does', () => {
  const week = (name: string) => main(planned({ dimensions: names(name), metrics: names('sessions') }));
  expect(week('yearWeek')).toMatchObject({ dimensions: ['time:week'], week_start: 'sunday' });
  expect(week('isoWeek')).toMatchObject({ dimensions: ['time:week'], week_start: 'monday' });
});

it('asks for key events beside, where any are asked for', () => {
  const filter = { filter: { fieldName: 'pagePath', stringFilter: { value: '/', caseSensitive: true } } };
  const ofGoals = (plan: Plan) => goalsRequest(plan, plan.ranges[0]!, FIRST);
  const plan = planned({ metrics: names('sessions', 'conversions'), dimensionFilter: filter });
  expect(main(plan)).toMatchObject({ metrics: ['visits'] });
  expect(ofGoals(plan)).toMatchObject({
    metrics: ['events'],
    filters: [
      ['is', 'event:page', ['/']],
      ['contains', 'event:goal', ['']],
    ],
  });
  expect(ofGoals(planned({ metrics: names('sessions') }))).toBeNull();
});

const PAGES = { dimensions: names('pagePath'), metrics: names('sessions'), limit: 5, offset: 10 };

it.each([
  ['pages', {}, [['visits', 'desc']]],
  [
    'an order that is natively said',
    { orderBys: [{ dimension: { dimensionName: 'pagePath' } }] },
    [['event:page', 'asc']],
  ],
  [
    'days beside pages',
    {
      dimensions: names('date', 'pagePath'),
      orderBys: [{ dimension: { dimensionName: 'date' }, desc: true }],
    },
    [['time:day', 'desc']],
  ],
  ['totals', { metricAggregations: ['TOTAL'] }, [['visits', 'desc']]],
])('lets the facts order and page %s', (_, change, order) => {
  const plan = planned({ ...PAGES, ...change });
  expect(nativePage(plan)).toEqual({ limit: 5, offset: 10 });
  expect(main(plan)).toMatchObject({ order_by: order });
});

it.each([
  ['several ranges', { dateRanges: [...WEEK, ...WEEK] }],
  ['values under other names', { dimensions: names('sessionSource') }],
  ['days of several years', { dimensions: names('pagePath', 'year', 'day') }],
  ['a metric that may be 0 in a row', { metrics: names('screenPageViews') }],
  ['a ratio to order by', { metrics: names('engagementRate') }],
  ['an expression', { metrics: [{ name: 'x', expression: 'sessions * 2' }] }],
  ['key events', { metrics: names('sessions', 'keyEvents') }],
  ['extremes', { metricAggregations: ['MAXIMUM'] }],
  [
    'a metric filter',
    {
      metricFilter: {
        filter: { fieldName: 'sessions', numericFilter: { operation: 1, value: { doubleValue: 1 } } },
      },
    },
  ],
  ['an order of numbers', { orderBys: [{ dimension: { dimensionName: 'pagePath', orderType: 'NUMERIC' } }] }],
])('orders and pages %s here', (_, change) => {
  expect(nativePage(planned({ ...PAGES, ...change }))).toBeNull();
});
