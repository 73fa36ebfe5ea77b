import type { Excess } from '../../auth/quotas/excess.js';
import { planReport } from './planner.js';
import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';

const NOW = Date.parse('2026-11-20T12:34:56Z');

const plan = (zone: string, body: Record<string, unknown>, excesses: readonly Excess[] = []) =>
  planReport(
    normaliseQuery(
      parseReportRequest({ metrics: ['visitors'], date_range: '30d', ...body }),
      { id: 'site' },
      { zone, now: NOW, earliest: null, excesses },
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

it('the facts answer where visits of the range are hidden, or of a hidden time may last into it', () => {
  const excess: Excess = {
    ...{ policy: 'hide', month: '2026-10', samplePercent: null, eventsMax: 1 },
    ...{ from: Date.parse('2026-10-20T11:00:00Z'), to: Date.parse('2026-11-01T00:00:00Z') },
  };
  const over = (first: string, last: string, policy: Excess['policy'] = 'hide') =>
    plan('UTC', { date_range: [first, last] }, [{ ...excess, policy }]);
  const facts = { source: 'facts', because: 'hidden-in-part' };
  const rollup = { source: 'rollup' };
  expect([over('2026-10-01', '2026-10-19'), over('2026-10-01', '2026-10-20')]).toEqual([rollup, facts]);
  expect([over('2026-11-02', '2026-11-05'), over('2026-11-03', '2026-11-05')]).toEqual([facts, rollup]);
  // What was not taken is in no source.
  expect(over('2026-10-01', '2026-10-31', 'sample')).toEqual(rollup);
});
