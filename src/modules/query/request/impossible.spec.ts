import type { Goal } from '../vocabulary/goal.js';
import { METRICS } from '../vocabulary/metrics.js';
import { normaliseQuery } from './report-query.js';
import { parseReportRequest } from './report-request.js';

const GOALS: readonly Goal[] = [
  { id: '1', name: 'Signup', match: { kind: 'event', name: 'Signup', props: {} }, currency: null },
];
const CONTEXT = { zone: 'UTC', now: Date.parse('2026-11-20T00:00:00Z'), earliest: null, goals: GOALS };

const ask = (body: Record<string, unknown>) => () =>
  normaliseQuery(
    parseReportRequest({ metrics: ['visitors'], date_range: '7d', ...body }),
    { id: 'site' },
    CONTEXT,
  );
const refusal = (path: string) =>
  expect.objectContaining({
    options: expect.objectContaining({ status: 400, errors: [expect.objectContaining({ path })] }),
  });

const PAGE = ['is', 'event:page', ['/']];
const GOAL = ['is', 'event:goal', ['Signup']];

it.each([
  ['percentage', { filters: [PAGE] }],
  ['conversion_rate', { dimensions: ['event:page'] }],
  ['group_conversion_rate', { dimensions: ['visit:source'] }],
  ['scroll_depth', { dimensions: ['event:hostname'] }],
  ['time_on_page', { filters: [GOAL] }],
])('refuses %s without what it is about', (metric, rest) => {
  expect(ask({ metrics: ['visits', metric], ...rest })).toThrow(refusal('metrics[1]'));
});

it('takes what a metric is about as a dimension or anywhere in a filter, but for has_done', () => {
  const about = ['or', [PAGE, GOAL]];
  const metrics = METRICS.filter((metric) => metric !== 'percentage');
  expect(ask({ metrics, filters: [about] })).not.toThrow();
  expect(ask({ metrics: METRICS, dimensions: ['event:goal', 'event:page'] })).not.toThrow();
  expect(ask({ metrics: ['conversion_rate'], filters: [['has_done', GOAL]] })).toThrow(refusal('metrics[0]'));
});

it.each([
  [[['is', 'event:goal', ['Signup', 'Sign-up']]], 'filters[0][2][1]'],
  [[['is', 'event:goal', ['signup']]], 'filters[0][2][0]'],
  [[PAGE, ['has_done', ['not', ['is_not', 'event:goal', ['Sign-up']]]]], 'filters[1][1][1][2][0]'],
])('refuses a goal that the site has not, naming where: %j', (filters, path) => {
  expect(ask({ filters })).toThrow(refusal(path));
});

it('knows goals regardless of case where the filter does, and looks for parts of names among those there are', () => {
  expect(ask({ filters: [['is', 'event:goal', ['SIGNUP'], { case_sensitive: false }]] })).not.toThrow();
  expect(ask({ filters: [['contains', 'event:goal', ['nothing']]] })).not.toThrow();
});

it.each([
  [['matches', 'event:goal', ['^S']], 'filters[0][0]'],
  [['is', 'event:props:', ['x']], 'filters[0][1]'],
  [['is', `event:props:${'x'.repeat(301)}`, ['x']], 'filters[0][1]'],
  [['has_done', ['and', [['has_not_done', PAGE]]]], 'filters[0][1]'],
  [['has_done', ['is', 'event:nothing', ['x']]], 'filters[0][1][1]'],
])('refuses the filter %j', (filter, path) => {
  expect(ask({ filters: [filter] })).toThrow(refusal(path));
});

it.each(['event:props:', 'event:props:a\0', `event:props:${'x'.repeat(301)}`, 'event:nothing'])(
  'refuses the dimension %j',
  (dimension) => {
    expect(ask({ dimensions: [dimension] })).toThrow(refusal('dimensions[0]'));
  },
);

it('takes any name of a property as a dimension to group and order by', () => {
  const dimension = `event:props:${'"x'.repeat(150)}`;
  expect(ask({ dimensions: [dimension], order_by: [[dimension, 'asc']] })()).toMatchObject({
    dimensions: [dimension],
    orderBy: [[dimension, 'asc']],
  });
});

it('keeps goals where the query asks about them, and only there', () => {
  expect(ask({})().goals).toEqual([]);
  expect(ask({ filters: [['has_done', GOAL]] })().goals).toEqual(GOALS);
  expect(ask({ metrics: ['engaged_visits'] })().goals).toEqual(GOALS);
});
