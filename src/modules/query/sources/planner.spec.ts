import { planReport } from './planner.js';
import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';

const NOW = Date.parse('2026-11-20T12:34:56Z');

const plan = (zone: string, body: Record<string, unknown>) =>
  planReport(
    normaliseQuery(
      parseReportRequest({ metrics: ['visitors'], date_range: '30d', ...body }),
      { id: 'site' },
      { zone, now: NOW, earliest: null },
    ),
  );

it.each([
  ['UTC', {}],
  ['Europe/Berlin', { dimensions: ['time:hour'], date_range: '7d' }],
  ['America/New_York', { dimensions: ['time:month'], date_range: 'year' }],
  ['Europe/Berlin', { date_range: 'day' }],
  ['UTC', { date_range: ['2026-11-01T10:00:00+05:00', '2026-11-02T10:00:00Z'] }],
  ['UTC', { include: { bots: true } }],
])('the rollup answers whole hours in %s: %j', (zone, body) => {
  expect(plan(zone, body)).toEqual({ source: 'rollup' });
});

it.each([
  ['filtered', 'UTC', { filters: [['is', 'visit:country', ['DE']]] }],
  ['broken-down', 'UTC', { dimensions: ['visit:source'] }],
  ['broken-down', 'UTC', { dimensions: ['time:day', 'event:page'] }],
  ['bound-within-hour', 'Asia/Kolkata', {}],
  ['bound-within-hour', 'Asia/Kathmandu', { dimensions: ['time:day'] }],
  ['bound-within-hour', 'America/St_Johns', { date_range: '7d' }],
  ['bound-within-hour', 'UTC', { date_range: '24h' }],
  ['bound-within-hour', 'UTC', { date_range: ['2026-11-01T10:00:00Z', '2026-11-02T10:30:00Z'] }],
])('the facts answer what is %s in %s: %j', (because, zone, body) => {
  expect(plan(zone, body)).toEqual({ source: 'facts', because });
});
