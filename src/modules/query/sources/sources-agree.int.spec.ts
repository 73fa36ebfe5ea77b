// Rollup and facts are two ways to one answer, and the answer is the one that plain counting of
// the sessions gives: over random sessions, ranges, zones and summer-time changes.
import type { Pool } from 'pg';
import { midnight, naiveReport } from '../../../../test/naive-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import { startReadModels, type GivenSession, insertSessions } from '../../../../test/read-model-rows.js';
import { planReport } from './planner.js';
import { inReadTransaction } from '../read-transaction.js';
import { type Group, rowOf } from '../report.js';
import { normaliseQuery, type ReportQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';
import { groupsFromFacts } from '../facts/facts.report.js';
import { groupsFromRollup } from './rollup.report.js';

const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'events',
];
const SITE = 'site-a';
const NOW = Date.parse('2026-11-05T12:00:00Z');
const FROM = Date.parse('2026-10-10T00:00:00Z');

let postgres: { pool: Pool; stop(): Promise<void> };
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startReadModels();
  sessions = [
    ...randomSessions({ seed: 7, site: SITE, count: 700, from: FROM, to: NOW }),
    ...randomSessions({ seed: 8, site: 'site-b', count: 100, from: FROM, to: NOW }),
  ];
  await insertSessions(postgres.pool, sessions);
});
afterAll(() => postgres.stop());

const queryOf = (zone: string, body: Record<string, unknown>): ReportQuery =>
  normaliseQuery(
    parseReportRequest({ metrics: METRICS, ...body }),
    { id: SITE },
    { zone, now: NOW, earliest: FROM },
  );

const rowsOf = (query: ReportQuery, groups: readonly Group[]) => groups.map((group) => rowOf(query, group));

const fromFacts = (query: ReportQuery) =>
  inReadTransaction(postgres.pool, { site: SITE, timeoutMs: 10_000 }, async (client) =>
    rowsOf(query, (await groupsFromFacts(client, query, 'sessions_v1')).groups),
  );

const fromRollup = (query: ReportQuery) =>
  inReadTransaction(postgres.pool, { site: SITE, timeoutMs: 10_000 }, async (client) => {
    const answer = await groupsFromRollup(client, query, { table: 'traffic_v1', sessionsMax: 3_000_000 });
    if (answer.outcome !== 'answered') throw new Error(answer.outcome);
    expect(answer.visitorsEstimated).toBe(false);
    return rowsOf(query, answer.groups.groups);
  });

const DIMENSIONS = [[], ['time:hour'], ['time:day'], ['time:week'], ['time:month'], ['time:year']];
const RANGES: readonly (readonly [string, string])[] = [
  ['2026-10-12', '2026-11-05'],
  ['2026-10-24', '2026-10-26'],
  ['2026-10-25', '2026-10-25'],
  ['2026-11-01', '2026-11-01'],
  ['2026-10-31', '2026-11-02'],
  ['2026-10-20', '2026-10-20'],
];

describe.each(['UTC', 'Europe/Berlin', 'America/New_York'])('in %s', (zone) => {
  it.each(DIMENSIONS.map((dimensions) => [dimensions]))(
    'rollup = facts = plain counting by %j',
    async (dimensions) => {
      for (const [first, last] of RANGES) {
        for (const bots of [false, true]) {
          const query = queryOf(zone, { date_range: [first, last], dimensions, include: { bots } });
          expect(planReport(query)).toEqual({ source: 'rollup' });
          const facts = await fromFacts(query);
          expect(await fromRollup(query)).toEqual(facts);
          const from = midnight(first, zone);
          const to = midnight(new Date(Date.parse(last) + 86_400_000).toISOString().slice(0, 10), zone);
          expect({ from, to }).toEqual(query.range);
          expect(facts).toEqual(
            naiveReport(sessions, { site: SITE, zone, from, to, metrics: METRICS, dimensions, bots }),
          );
        }
      }
    },
  );
});

describe.each(['Asia/Kolkata', 'Asia/Kathmandu'])('in %s, whose days begin within a UTC hour', (zone) => {
  it.each(DIMENSIONS.map((dimensions) => [dimensions]))(
    'facts = plain counting by %j',
    async (dimensions) => {
      for (const [first, last] of RANGES) {
        const query = queryOf(zone, { date_range: [first, last], dimensions });
        expect(planReport(query).source).toBe('facts');
        const from = midnight(first, zone);
        const to = midnight(new Date(Date.parse(last) + 86_400_000).toISOString().slice(0, 10), zone);
        expect(await fromFacts(query)).toEqual(
          naiveReport(sessions, { site: SITE, zone, from, to, metrics: METRICS, dimensions }),
        );
      }
    },
  );
});

it.each([
  ['2026-10-20T10:17:33.250Z', '2026-10-21T09:59:59.999Z'],
  ['2026-10-25T00:30:00+02:00', '2026-10-25T03:15:00+01:00'],
])('facts = plain counting from %s to %s', async (from, to) => {
  const range = { from: Date.parse(from), to: Date.parse(to) };
  const query = queryOf('UTC', { date_range: [from, to] });
  expect(query.range).toEqual(range);
  expect(await fromFacts(query)).toEqual(
    naiveReport(sessions, { site: SITE, zone: 'UTC', ...range, metrics: METRICS }),
  );
});

it('orders and pages alike', async () => {
  for (const order_by of [
    [['visitors', 'desc']],
    [
      ['bounce_rate', 'asc'],
      ['time:day', 'desc'],
    ],
    [['time:day', 'desc']],
  ]) {
    const query = queryOf('Europe/Berlin', {
      date_range: ['2026-10-12', '2026-11-04'],
      dimensions: ['time:day'],
      order_by,
      pagination: { limit: 7, offset: 3 },
    });
    const facts = await fromFacts(query);
    expect(facts).toHaveLength(7);
    expect(await fromRollup(query)).toEqual(facts);
  }
});
