import type { WeekStart } from '../../../events/site.events.js';
import { Problem } from '../../../http/problem.js';
import { echoOf, normaliseQuery } from './report-query.js';
import { parseReportRequest } from './report-request.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const normalise = (body: Record<string, unknown>, zone = 'Europe/Berlin') =>
  normaliseQuery(
    parseReportRequest({ metrics: ['visits', 'visitors'], date_range: '7d', ...body }),
    { id: 'site' },
    { zone, now: NOW, earliest: null },
  );

it('echoes the complete request', () => {
  const filters = [
    [
      'and',
      [
        ['is', 'visit:os', ['Linux'], { case_sensitive: false }],
        ['not', ['contains', 'event:page', ['/x']]],
      ],
    ],
  ];
  expect(echoOf(normalise({ dimensions: ['visit:source', 'time'], filters }))).toEqual({
    metrics: ['visits', 'visitors'],
    date_range: ['2026-11-13T00:00:00+01:00', '2026-11-20T00:00:00+01:00'],
    dimensions: ['visit:source', 'time:day'],
    filters,
    order_by: [
      ['time:day', 'asc'],
      ['visits', 'desc'],
    ],
    include: { time_labels: false, total_rows: false, bots: false, totals: false, fill: false },
    week_start: 'monday',
    pagination: { limit: 10_000, offset: 0 },
  });
});

it('echoes a request that means itself', () => {
  const include = { time_labels: true, bots: true, totals: true, fill: true, trim_relative_date_range: true };
  const echo = echoOf(
    normalise({
      date_range: 'month',
      dimensions: ['time:week'],
      week_start: 'sunday',
      include: { ...include, compare: 'previous_period', compare_match_day_of_week: true },
    }),
  );
  expect(echo.date_range[1]).toBe('2026-11-20T14:00:00+01:00');
  expect(echo.include.compare).toEqual(['2026-10-11T00:00:00+02:00', '2026-10-30T14:00:00+01:00']);
  expect(echoOf(normalise({ ...echo }))).toEqual(echo);
});

it('begins weeks as the site does, unless the request says otherwise', () => {
  const request = {
    metrics: ['visits'],
    date_range: ['2026-11-02', '2026-11-15'],
    dimensions: ['time:week'],
  };
  const weeks = (weekStart: WeekStart, body = {}) => {
    const parsed = parseReportRequest({ ...request, ...body });
    const query = normaliseQuery(parsed, { id: 's' }, { zone: 'UTC', now: NOW, earliest: null, weekStart });
    expect(echoOf(query).week_start).toBe(query.weekStart);
    return query.buckets.labels;
  };
  expect(weeks('monday')).toEqual(['2026-11-02', '2026-11-09']);
  expect(weeks('sunday')).toEqual(['2026-11-02', '2026-11-08', '2026-11-15']);
  expect(weeks('saturday')).toEqual(['2026-11-02', '2026-11-07', '2026-11-14']);
  expect(weeks('saturday', { week_start: 'monday' })).toEqual(['2026-11-02', '2026-11-09']);
});

it('cuts the range compared with as it cuts the range', () => {
  const { compared, buckets } = normalise({
    dimensions: ['time'],
    date_range: 'day',
    include: { compare: ['2026-10-25', '2026-10-26'] },
  });
  expect(buckets.labels).toHaveLength(24);
  expect(compared!.buckets.labels).toHaveLength(48);
  expect(compared!.buckets.labels[2]).toBe('2026-10-25 02:00:00');
});

it('knows the goals of the site where it asks about them, and only there', () => {
  const goals = [
    { id: 'g', name: 'Signup', match: { kind: 'event', name: 'Signup', props: {} }, currency: null } as const,
  ];
  const site = { id: 'site' };
  const context = { zone: 'UTC', now: NOW, earliest: null, goals };
  const request = parseReportRequest({ metrics: ['visits'], date_range: '7d' });
  expect(normaliseQuery(request, site, context).goals).toEqual([]);
  const filters = [['has_not_done', ['is', 'event:goal', ['Signup']]]];
  const asking = parseReportRequest({ metrics: ['visits'], date_range: '7d', filters });
  expect(normaliseQuery(asking, site, context).goals).toEqual(goals);
});

it('counts bots where visit:bot is asked about', () => {
  expect(normalise({ dimensions: ['visit:bot'] }).include.bots).toBe(true);
  expect(normalise({ dimensions: ['visit:bot_name'] }).include.bots).toBe(true);
  expect(normalise({ filters: [['not', ['is', 'visit:bot', ['true']]]] }).include.bots).toBe(true);
  expect(normalise({}).include.bots).toBe(false);
});

it.each([
  [400, 'include.time_labels', { include: { time_labels: true } }],
  [400, 'include.fill', { include: { fill: true } }],
  [400, 'include.fill', { dimensions: ['time', 'visit:os'], include: { fill: true } }],
  [400, 'include.compare[1]', { include: { compare: ['2026-02-01', '2026-02-30'] } }],
  [400, 'include.compare', { include: { compare: ['2026-02-02', '2026-02-01'] } }],
  [400, 'include.compare_match_day_of_week', { include: { compare_match_day_of_week: true } }],
  [422, 'include.compare', { dimensions: ['time:hour'], include: { compare: ['2016-01-01', '2025-12-31'] } }],
  [400, 'order_by[0][0]', { order_by: [['events', 'asc']] }],
  [400, 'order_by[0][0]', { order_by: [['time', 'asc']] }],
  [400, 'date_range', { date_range: ['2026-11-02', '2026-11-01'] }],
  [422, 'dimensions[1]', { dimensions: ['visit:os', 'time:hour'], date_range: ['2016-01-01', '2025-12-31'] }],
])('refuses with %d at %s: %j', (status, path, body) => {
  let refused: unknown;
  try {
    normalise(body);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(Problem);
  expect((refused as Problem).options).toMatchObject({ status, errors: [{ path }] });
});
