import { Problem } from '../../http/problem.js';
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
    include: { time_labels: false, total_rows: false, bots: false },
    pagination: { limit: 10_000, offset: 0 },
  });
});

it('echoes a request that means itself', () => {
  const echo = echoOf(normalise({ dimensions: ['time:week'], include: { time_labels: true, bots: true } }));
  expect(echoOf(normalise({ ...echo }))).toEqual(echo);
});

it('counts bots where visit:bot is asked about', () => {
  expect(normalise({ dimensions: ['visit:bot'] }).include.bots).toBe(true);
  expect(normalise({ filters: [['not', ['is', 'visit:bot', ['true']]]] }).include.bots).toBe(true);
  expect(normalise({}).include.bots).toBe(false);
});

it.each([
  [400, 'include.time_labels', { include: { time_labels: true } }],
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
