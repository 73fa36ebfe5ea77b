// What stands beside the rows of an answer: comparison, totals, rows of empty buckets, samples. Each is
// held to the same question asked by itself.
import type { Pool } from 'pg';
import { randomSessions } from '../../../../test/random-sessions.js';
import { startReadModels, insertSessions } from '../../../../test/read-model-rows.js';
import { changeOf } from '../change.js';
import { inReadTransaction } from '../read-transaction.js';
import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';
import { readReport } from './read-report.js';
import { ReportSources } from './report-sources.js';
import { SessionEstimates } from './session-estimate.js';

const SITE = 'site-a';
const FROM = Date.parse('2026-10-10T00:00:00Z');
const NOW = Date.parse('2026-11-05T12:00:00Z');
const METRICS = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'] as const;
const SESSIONS = 2_400;
/** A sample may err by this many standard errors: one in 15,000 does. */
const STANDARD_ERRORS_MAX = 4;

let postgres: { pool: Pool; stop(): Promise<void> };
beforeAll(async () => {
  postgres = await startReadModels();
  await insertSessions(postgres.pool, [
    ...randomSessions({ seed: 11, site: SITE, count: SESSIONS, from: FROM, to: NOW }),
    ...randomSessions({ seed: 12, site: 'site-b', count: 50, from: FROM, to: NOW }),
  ]);
});
afterAll(() => postgres.stop());

function ask(body: Record<string, unknown>, { zone = 'Europe/Berlin', sessionsMax = 3_000_000 } = {}) {
  const query = normaliseQuery(
    parseReportRequest({ metrics: METRICS, date_range: ['2026-10-24', '2026-10-30'], ...body }),
    { id: SITE },
    { zone, now: NOW, earliest: FROM },
  );
  return inReadTransaction(postgres.pool, { site: SITE, timeoutMs: 10_000 }, (client) =>
    readReport(
      new ReportSources(client, {
        tables: { rollup: 'traffic_v1', facts: 'sessions_v1' },
        ranges: [query.range, ...(query.compared === null ? [] : [query.compared.range])],
        sessionsMax,
        estimates: new SessionEstimates(),
        settled: null,
      }),
      query,
    ),
  );
}

const BEFORE = { date_range: ['2026-10-17', '2026-10-23'] };
const COMPARED = { include: { compare: 'previous_period' } };

describe.each(['Europe/Berlin', 'Asia/Kolkata'])('compared in %s', (zone) => {
  it.each([
    [['visit:source'], {}],
    [['event:page', 'visit:browser'], {}],
    [['visit:country'], { filters: [['is', 'visit:device', ['Mobile']]] }],
    [['event:page'], { filters: [['is', 'event:name', ['pageview']]], pagination: { limit: 2 } }],
  ])('rows by %j are those of the range before', async (dimensions, rest) => {
    const { results } = await ask({ dimensions, ...rest, ...COMPARED }, { zone });
    const before = await ask({ dimensions, ...rest, ...BEFORE, pagination: {} }, { zone });
    expect(results.length).toBeGreaterThan(1);
    for (const row of results) {
      const same = before.results.find((one) => String(one.dimensions) === String(row.dimensions));
      expect(row.comparison!.metrics).toEqual(same?.metrics ?? METRICS.map(() => 0));
      expect(row.comparison!.change).toEqual(
        METRICS.map((metric, n) => changeOf(metric, same?.metrics[n] ?? 0, row.metrics[n]!)),
      );
    }
  });

  it.each([[['time:day']], [['time:day', 'visit:source']]])(
    'buckets by %j are matched by place',
    async (dimensions) => {
      const { results } = await ask({ dimensions, ...COMPARED }, { zone });
      const before = await ask({ dimensions, ...BEFORE }, { zone });
      expect(results.length).toBeGreaterThan(6);
      for (const row of results) {
        const [day, ...values] = row.dimensions;
        const weekBefore = new Date(Date.parse(day!) - 7 * 86_400_000).toISOString().slice(0, 10);
        const same = before.results.find((one) => String(one.dimensions) === String([weekBefore, ...values]));
        expect(row.comparison!.metrics).toEqual(same?.metrics ?? METRICS.map(() => 0));
      }
    },
  );
});

it('says nothing of a bucket that the range compared with has not', async () => {
  const { results } = await ask({
    dimensions: ['time:day'],
    include: { compare: ['2026-10-20', '2026-10-21'] },
  });
  expect(results[1]!.comparison!.metrics[0]).toBeGreaterThan(0);
  expect(results[2]!.comparison).toEqual({
    metrics: METRICS.map(() => null),
    change: METRICS.map(() => null),
  });
});

it('compares with a range before the first session', async () => {
  const { results } = await ask({ include: { compare: 'year_over_year' } });
  expect(results[0]!.comparison).toEqual({
    metrics: [0, 0, 0, 0, 0],
    change: [100, 100, 100, expect.any(Number), 100],
  });
});

it.each([
  [['time:day'], {}],
  [['event:page'], {}],
  [['visit:source', 'time:hour'], { filters: [['is', 'event:page', ['/', '/blog']]] }],
])('totals of rows by %j are what the question without dimensions answers', async (dimensions, rest) => {
  const { totals } = await ask({
    dimensions,
    ...rest,
    include: { totals: true, compare: 'previous_period' },
    pagination: { limit: 1, offset: 1 },
  });
  const whole = await ask({ ...rest, ...COMPARED });
  expect(totals).toEqual({ metrics: whole.results[0]!.metrics, comparison: whole.results[0]!.comparison });
});

describe('filled', () => {
  const range = { date_range: ['2026-10-08', '2026-10-11'], dimensions: ['time:day'] };

  it('rows are one for each bucket, zeros where nobody was', async () => {
    for (const filters of [[], [['is', 'visit:country', ['DE']]]]) {
      const plain = await ask({ ...range, filters });
      const { results, totalRows } = await ask({ ...range, filters, include: { fill: true } });
      expect(results.map(({ dimensions }) => dimensions[0])).toEqual([
        '2026-10-08',
        '2026-10-09',
        '2026-10-10',
        '2026-10-11',
      ]);
      expect(results[0]!.metrics).toEqual([0, 0, 0, 0, 0]);
      expect(results.filter(({ metrics }) => metrics[1] !== 0)).toEqual(plain.results);
      expect(totalRows).toBe(4);
    }
  });

  it('pages and orders are those of all rows', async () => {
    const { results } = await ask({
      ...range,
      include: { fill: true },
      order_by: [
        ['visits', 'asc'],
        ['time:day', 'desc'],
      ],
      pagination: { limit: 2, offset: 1 },
    });
    const [fewest] = (await ask({ ...range, order_by: [['visits', 'asc']] })).results;
    expect(results.map(({ dimensions }) => dimensions[0])).toEqual(['2026-10-08', fewest!.dimensions[0]]);
  });
});

describe('sampled', () => {
  const everything = {
    date_range: ['2026-10-10', '2026-11-04'],
    filters: [['is', 'visit:device', ['Mobile', 'Desktop', '(not set)']]],
  };

  it('visitors lie within the error that is stated', async () => {
    for (const sessionsMax of [400, 800, 1_600]) {
      for (const dimensions of [[], ['visit:source'], ['event:page']]) {
        const exact = await ask({ ...everything, dimensions });
        const { results, sample } = await ask({ ...everything, dimensions }, { sessionsMax });
        expect(sample!.rate).toBeGreaterThan(0.9 * (sessionsMax / SESSIONS));
        expect(sample!.rate).toBeLessThan(1.3 * (sessionsMax / SESSIONS));
        expect(sample!.error).toBeGreaterThan(0);
        expect(results).toHaveLength(exact.results.length);
        for (const row of results) {
          const same = exact.results.find((one) => String(one.dimensions) === String(row.dimensions))!;
          const error = Math.abs(Number(row.metrics[0]) / Number(same.metrics[0]) - 1);
          expect(error).toBeLessThan(STANDARD_ERRORS_MAX * sample!.error);
        }
      }
    }
  });

  it('rates and means are not scaled, counts are', async () => {
    const [exact] = (await ask(everything)).results;
    const [row] = (await ask(everything, { sessionsMax: 1_600 })).results;
    for (const n of METRICS.keys()) {
      expect(Math.abs(Number(row!.metrics[n]) / Number(exact!.metrics[n]) - 1)).toBeLessThan(0.2);
    }
  });

  it('is nothing that the rollup answers, nor what is within the budget', async () => {
    const metrics = ['visits'];
    expect(
      (await ask({ metrics, date_range: everything.date_range }, { sessionsMax: 10 })).sample,
    ).toBeNull();
    expect((await ask(everything, { sessionsMax: SESSIONS * 2 })).sample).toBeNull();
  });

  it('uses one rate for all that an answer compares', async () => {
    const body = { dimensions: ['visit:source'], filters: everything.filters };
    const compare = ['2026-10-10', '2026-11-04'];
    const [alone, together] = [
      await ask(body, { sessionsMax: 1_000 }),
      await ask({ ...body, include: { compare } }, { sessionsMax: 1_000 }),
    ];
    expect(alone.sample).toBeNull();
    expect(together.sample!.rate).toBeLessThan(0.5);
  });
});
