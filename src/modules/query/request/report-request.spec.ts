import { Problem } from '../../../http/problem.js';
import { METRICS_MAX } from './cost.js';
import { parseReportRequest } from './report-request.js';

const VALID = { metrics: ['visitors'], date_range: '30d' };

function refusal(body: unknown) {
  try {
    parseReportRequest(body);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { status: error.options.status, paths: error.options.errors?.map(({ path }) => path) };
  }
  return 'accepted';
}

it('fills in what is not said', () => {
  expect(parseReportRequest(VALID)).toEqual({
    ...VALID,
    dimensions: [],
    filters: [],
    include: {
      time_labels: false,
      total_rows: false,
      bots: false,
      totals: false,
      fill: false,
      compare_match_day_of_week: false,
      trim_relative_date_range: false,
      imports: false,
    },
    pagination: { limit: 10_000, offset: 0 },
  });
});

const leaf = ['is', 'visit:country', ['DE']];
const leaves = (count: number): unknown[] => Array.from({ length: count }, () => leaf);
const deep = (levels: number): unknown => (levels === 0 ? leaf : ['not', deep(levels - 1)]);

it.each([
  ['no object', 'x', ''],
  ['null', null, ''],
  ['no metrics', { date_range: '30d' }, 'metrics'],
  ['an unknown metric', { ...VALID, metrics: ['visitors', 'hits'] }, 'metrics[1]'],
  ['a metric twice', { ...VALID, metrics: ['visits', 'visits'] }, 'metrics'],
  ['an unknown key', { ...VALID, site_id: 'x' }, 'site_id'],
  ['an unknown comparison', { ...VALID, include: { compare: '30d' } }, 'include.compare'],
  ['a comparison of one date', { ...VALID, include: { compare: ['2026-11-01'] } }, 'include.compare'],
  ['an unknown part of an answer', { ...VALID, include: { sums: true } }, 'include.sums'],
  ['an unknown start of the week', { ...VALID, week_start: 'friday' }, 'week_start'],
  ['an unknown dimension', { ...VALID, dimensions: ['visit:shoe'] }, 'dimensions[0]'],
  ['two time dimensions', { ...VALID, dimensions: ['time', 'time:day'] }, 'dimensions'],
  ['an unknown date range', { ...VALID, date_range: '30 days' }, 'date_range'],
  ['an unknown direction', { ...VALID, order_by: [['visitors', 'up']] }, 'order_by[0][1]'],
  ['a limit too high', { ...VALID, pagination: { limit: 10_001 } }, 'pagination.limit'],
  ['a negative offset', { ...VALID, pagination: { offset: -1 } }, 'pagination.offset'],
  ['an unknown operator', { ...VALID, filters: [['has_seen', leaf]] }, 'filters[0][0]'],
  ['an unknown dimension of a filter', { ...VALID, filters: [['is', 'visit:shoe', ['x']]] }, 'filters[0][1]'],
  ['time in a filter', { ...VALID, filters: [['is', 'time:day', ['x']]] }, 'filters[0][1]'],
  ['no values', { ...VALID, filters: [['is', 'visit:country', []]] }, 'filters[0][2]'],
  ['a value that is no text', { ...VALID, filters: [['is', 'visit:country', [1]]] }, 'filters[0][2][0]'],
  ['a NUL', { ...VALID, filters: [['is', 'visit:country', ['a\0']]] }, 'filters[0][2][0]'],
  ['half a character', { ...VALID, filters: [['is', 'visit:country', ['\ud83d']]] }, 'filters[0][2][0]'],
  ['a property of half a character', { ...VALID, dimensions: ['event:props:\ud83d'] }, 'dimensions[0]'],
  ['an unknown option', { ...VALID, filters: [[...leaf, { fuzzy: true }]] }, 'filters[0][3].fuzzy'],
  [
    'a mistake deep in a tree',
    { ...VALID, filters: [['or', [leaf, ['not', ['is', 'x', ['y']]]]]] },
    'filters[0][1][1][1][1]',
  ],
  ['a back-reference', { ...VALID, filters: [['matches', 'event:page', ['(a)\\1']]] }, 'filters[0][2][0]'],
  [
    'a pattern too long',
    { ...VALID, filters: [['matches', 'event:page', ['a'.repeat(257)]]] },
    'filters[0][2][0]',
  ],
])('refuses %s with 400 and its path', (_, body, path) => {
  expect(refusal(body)).toEqual({ status: 400, paths: [path] });
});

it.each([
  ['too many metrics', { ...VALID, metrics: Array(METRICS_MAX + 1).fill('visits') }, 'metrics'],
  ['eleven dimensions', { ...VALID, dimensions: Array(11).fill('visit:os') }, 'dimensions'],
  ['51 filters', { ...VALID, filters: leaves(51) }, 'filters'],
  [
    '51 filters in a tree',
    {
      ...VALID,
      filters: [
        ['or', leaves(30)],
        ['and', leaves(21)],
      ],
    },
    'filters',
  ],
  ['filters nested too deep', { ...VALID, filters: [deep(8)] }, `filters[0]${'[1]'.repeat(8)}`],
  ['filters nested 5,000 deep', { ...VALID, filters: [deep(5_000)] }, `filters[0]${'[1]'.repeat(8)}`],
  ['101 values', { ...VALID, filters: [['is', 'visit:os', Array(101).fill('x')]] }, 'filters[0][2]'],
  ['a value too long', { ...VALID, filters: [['is', 'visit:os', ['x'.repeat(2_049)]]] }, 'filters[0][2][0]'],
  ['eleven patterns', { ...VALID, filters: [['matches', 'visit:os', Array(11).fill('x')]] }, 'filters'],
])('refuses %s with 422 and its path', (_, body, path) => {
  expect(refusal(body)).toEqual({ status: 422, paths: [path] });
});

it('takes what lies on the bounds', () => {
  expect(refusal({ ...VALID, filters: [deep(7)] })).toBe('accepted');
  expect(refusal({ ...VALID, filters: leaves(50) })).toBe('accepted');
  expect(refusal({ ...VALID, filters: [['is', 'visit:os', Array(100).fill('x'.repeat(2_048))]] })).toBe(
    'accepted',
  );
});
