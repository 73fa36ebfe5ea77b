import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';
import { settledQuestion, wholeDaysOf } from './settled-question.js';

const NOW = Date.parse('2026-11-20T12:34:56Z');
const HOUR_MS = 3_600_000;

const question = (zone: string, body: Record<string, unknown>) =>
  settledQuestion(
    normaliseQuery(
      parseReportRequest({ metrics: ['visitors'], date_range: '30d', ...body }),
      { id: 'site' },
      { zone, now: NOW, earliest: null },
    ),
  );

it.each([
  ['UTC', {}, { dimension: null, single: false }],
  ['Asia/Kathmandu', { dimensions: ['time:day'] }, { dimension: null, single: true }],
  ['Europe/Berlin', { dimensions: ['event:page'] }, { dimension: 'event:page', single: false }],
  ['Europe/Berlin', { dimensions: ['visit:city', 'time:week'] }, { dimension: 'visit:city', single: false }],
  ['UTC', { date_range: 'day' }, { dimension: null, single: true }],
])('settled days can answer in %s: %j', (zone, body, expected) => {
  expect(question(zone, body)).toMatchObject(expected);
});

it.each([
  [{ filters: [['is', 'visit:country', ['DE']]] }],
  [{ dimensions: ['time:hour'], date_range: '7d' }],
  [{ dimensions: ['event:page', 'visit:city'] }],
  [{ dimensions: ['event:props:plan'] }],
  [{ dimensions: ['visit:bot'] }],
  [{ dimensions: ['visit:bot_kind'] }],
  [{ include: { bots: true } }],
  [{ metrics: ['new_visitors'] }],
  [{ metrics: ['engaged_visits'] }],
  [{ metrics: ['time_on_page'], dimensions: ['event:page'] }],
  [{ date_range: '24h' }],
  [{ date_range: ['2026-11-01T00:00:00Z', '2026-11-02T10:00:00Z'] }],
  [{ date_range: ['2020-01-01', '2026-11-01'] }],
  [{ date_range: ['2020-01-01', '2026-11-01'], dimensions: ['time:day'] }],
])('settled days cannot answer %j', (body) => {
  expect(question('UTC', body)).toBeNull();
});

it('gives each day its bucket', () => {
  const asked = question('UTC', { date_range: ['2026-10-30', '2026-11-03'], dimensions: ['time:week'] });
  expect(asked!.buckets).toEqual([0, 0, 0, 1, 1]);
});

it('knows days of 23 and 25 hours, and the day that a zone left out', () => {
  const lengths = (from: string, to: string, zone: string) =>
    wholeDaysOf({ from: Date.parse(from), to: Date.parse(to) }, zone)?.map(
      (day) => (day.to - day.from) / HOUR_MS,
    );
  expect(lengths('2026-10-23T22:00Z', '2026-10-26T23:00Z', 'Europe/Berlin')).toEqual([24, 25, 24]);
  expect(lengths('2026-03-28T23:00Z', '2026-03-29T22:00Z', 'Europe/Berlin')).toEqual([23]);
  expect(lengths('2011-12-29T10:00Z', '2011-12-31T10:00Z', 'Pacific/Apia')).toEqual([24, 24]);
  expect(lengths('2026-10-23T21:00Z', '2026-10-24T22:00Z', 'Europe/Berlin')).toBeUndefined();
});
