// Settled days are a third way to the same answers: over random sessions and questions, in zones of all
// kinds, with days that are not settled among them, with sessions that cross midnight, and after what came late.
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { midnight } from '../../../../test/naive-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import { createReadModels, type GivenSession, insertSessions } from '../../../../test/read-model-rows.js';
import { startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { settleDays } from '../../../../test/settling.js';
import type { Excess } from '../../auth/quotas/excess.js';
import { inReadTransaction } from '../read-transaction.js';
import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';
import { type ReportNumbers, readReport } from '../sources/read-report.js';
import { ReportSources } from '../sources/report-sources.js';
import { SessionEstimates } from '../sources/session-estimate.js';
import { SETTLED_DIMENSIONS } from './settled-question.js';
import { settledTablesOf } from './settled-tables.js';

const SITE = 'site-a';
const FROM = Date.parse('2026-10-10T00:00:00Z');
const NOW = Date.parse('2026-11-05T12:00:00Z');
const DAY_MS = 86_400_000;
const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'events',
  'engagement_time',
  'total_revenue',
  'average_revenue',
];

let postgres: { pool: Pool; stop(): Promise<void> };
beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());

/** Some of them attentive, some paying, in one currency or in two. */
const sessionsOf = (seed: number, count: number): readonly GivenSession[] =>
  randomSessions({ seed, site: SITE, count, from: FROM, to: NOW }).map((session, index) => ({
    ...session,
    events: session.events.map((event, place) => ({
      ...event,
      ...((index + place) % 4 === 0 && { engagementMs: 1_000 * (index % 7) }),
      ...(index % 9 === 0 && {
        revenue: [`${place}.5`, index % 27 === 0 && place > 0 ? 'USD' : 'EUR'] as const,
      }),
    })),
  }));

async function given(sessions: readonly GivenSession[]): Promise<void> {
  await createReadModels(postgres.pool);
  const { days, counts, visitors } = settledTablesOf(1);
  await postgres.pool.query(`DROP TABLE IF EXISTS ${days}, ${counts}, ${visitors}`);
  await insertSessions(postgres.pool, sessions);
}

const hiddenFrom = (from: string, to: string): Excess => ({
  policy: 'hide',
  month: to.slice(0, 7),
  from: Date.parse(from),
  to: Date.parse(to),
  samplePercent: null,
  eventsMax: 1,
});

interface Asking {
  readonly zone: string;
  readonly from: 'settled' | 'facts';
  readonly sessionsMax?: number;
  readonly excesses?: readonly Excess[];
}

function ask(
  body: Record<string, unknown>,
  { zone, from, sessionsMax = 3_000_000, excesses = [] }: Asking,
): Promise<ReportNumbers> {
  const query = normaliseQuery(
    parseReportRequest({ metrics: METRICS, include: { total_rows: true }, ...body }),
    { id: SITE },
    { zone, now: NOW, earliest: FROM, excesses },
  );
  return inReadTransaction(postgres.pool, { site: SITE, timeoutMs: 10_000 }, (client) =>
    readReport(
      new ReportSources(client, {
        tables: { rollup: 'traffic_v1', facts: 'sessions_v1' },
        ranges: [query.range, ...(query.compared === null ? [] : [query.compared.range])],
        sessionsMax,
        estimates: new SessionEstimates(),
        settled: from === 'settled' ? settledTablesOf(1) : null,
      }),
      query,
    ),
  );
}

async function expectAgreement(
  body: Record<string, unknown>,
  zone: string,
  excesses: readonly Excess[] = [],
): Promise<void> {
  const facts = await ask(body, { zone, from: 'facts', excesses });
  const settled = await ask(body, { zone, from: 'settled', excesses });
  expect(settled.source).toBe('settled');
  expect(settled).toEqual({ ...facts, source: 'settled' });
}

const rangeOf = (first: string, last: string, zone: string) => ({
  from: midnight(first, zone),
  to: midnight(new Date(Date.parse(last) + DAY_MS).toISOString().slice(0, 10), zone),
});

const RANGES = [
  ['2026-10-12', '2026-11-04'],
  ['2026-10-24', '2026-10-26'],
  ['2026-10-25', '2026-10-25'],
  ['2026-10-30', '2026-11-05'],
] as const;
const FEW_DIMENSIONS = ['event:page', 'event:name', 'visit:source'] as const;
const TIMES = [[], ['time:day'], ['time:week'], ['time:month']];

describe.each(['UTC', 'Europe/Berlin', 'America/Havana', 'Asia/Kathmandu', 'Australia/Lord_Howe'])(
  'in %s',
  (zone) => {
    beforeAll(async () => {
      await given(sessionsOf(7, 700));
      await settleDays(postgres.pool, { site: SITE, zone, range: rangeOf('2026-10-11', '2026-11-03', zone) });
    });

    it.each(TIMES.map((dimensions) => [dimensions]))('settled = facts by %j', async (dimensions) => {
      for (const date_range of RANGES) await expectAgreement({ dimensions, date_range }, zone);
    });

    const dimensions = zone === 'Europe/Berlin' ? SETTLED_DIMENSIONS : FEW_DIMENSIONS;
    it.each(dimensions)('settled = facts by %s, with time and without', async (dimension) => {
      for (const date_range of RANGES.slice(0, 2)) {
        for (const time of TIMES) {
          await expectAgreement({ dimensions: [dimension, ...time], date_range }, zone);
        }
      }
    });
  },
);

describe('where visits are hidden', () => {
  const zone = 'Europe/Berlin';
  beforeAll(async () => {
    await given(sessionsOf(33, 900));
    await settleDays(postgres.pool, { site: SITE, zone, range: rangeOf('2026-10-11', '2026-11-03', zone) });
  });

  it.each([
    ['2026-10-14T09:00:00Z', '2026-10-24T03:00:00Z'],
    ['2026-10-20T11:00:00Z', '2026-11-01T00:00:00Z'],
    ['2026-10-20T11:00:00Z', '2026-10-20T12:00:00Z'],
  ])('from %s to %s, days that have none of them count as settled', async (from, to) => {
    const excesses = [hiddenFrom(from, to)];
    const times = [...TIMES, ['event:page'], ['visit:source', 'time:week'], ['event:name', 'time:day']];
    for (const dimensions of times) {
      await expectAgreement({ dimensions, date_range: ['2026-10-12', '2026-11-03'] }, zone, excesses);
    }
    const shown = await ask({ date_range: ['2026-10-12', '2026-11-03'] }, { zone, from: 'settled' });
    const hidden = await ask(
      { date_range: ['2026-10-12', '2026-11-03'] },
      { zone, from: 'settled', excesses },
    );
    expect(Number(hidden.results[0]!.metrics[1])).toBeLessThan(Number(shown.results[0]!.metrics[1]));
  });
});

describe('of some days settled', () => {
  const zone = 'Europe/Berlin';
  const date_range = RANGES[0];
  beforeAll(async () => {
    await given(sessionsOf(21, 900));
    await settleDays(postgres.pool, { site: SITE, zone, range: rangeOf('2026-10-14', '2026-11-02', zone) });
  });

  it.each([
    [{ order_by: [['visitors', 'asc']], pagination: { limit: 3, offset: 1 } }],
    [{ order_by: [['visitors', 'desc'], ['event:page', 'desc']], pagination: { limit: 2 } }], // prettier-ignore
    [{ order_by: [['total_revenue', 'desc']], pagination: { limit: 4, offset: 2 } }],
    [{ order_by: [['bounce_rate', 'asc'], ['event:page', 'desc']] }], // prettier-ignore
    [{ pagination: { limit: 1 } }],
    [{ metrics: ['percentage', 'visits'], order_by: [['percentage', 'desc']] }],
    [{ metrics: ['visits', 'visitors'], pagination: { limit: 2, offset: 3 } }],
    [{ metrics: ['pageviews'] }],
    [{ include: { compare: ['2026-10-20', '2026-10-24'], totals: true }, date_range: RANGES[1] }],
  ])('pages = facts: %j', async (rest) => {
    await expectAgreement({ dimensions: ['event:page'], date_range, ...rest }, zone);
  });

  it('fills and compares a series', async () => {
    await expectAgreement(
      {
        dimensions: ['time:day'],
        date_range: ['2026-10-08', '2026-10-30'],
        include: { fill: true, compare: 'previous_period', totals: true },
      },
      zone,
    );
  });

  it.each([
    ['filtered', { filters: [['is', 'visit:country', ['DE']]] }],
    ['by hour', { dimensions: ['time:hour'], date_range: RANGES[1] }],
    ['by two dimensions', { dimensions: ['event:page', 'visit:source'] }],
    ['with bots', { dimensions: ['event:page'], include: { bots: true } }],
    ['of parts of days', { dimensions: ['event:page'], date_range: ['2026-10-20T00:00:00+02:00', '2026-10-22T12:00:00+02:00'] }], // prettier-ignore
    ['of first visits', { metrics: ['new_visitors'], dimensions: ['visit:source'] }],
    ['of days long before any was settled', { date_range: ['2026-09-01', '2026-10-14'] }],
  ])('leaves to others what is %s', async (_, rest) => {
    const body = { date_range, ...rest };
    const settled = await ask(body, { zone, from: 'settled' });
    expect(settled.source).not.toBe('settled');
    expect(settled).toEqual(await ask(body, { zone, from: 'facts' }));
  });

  it('is of one zone: to another its days are none', async () => {
    const body = { date_range, dimensions: ['visit:source'] };
    expect((await ask(body, { zone: 'Europe/Paris', from: 'settled' })).source).toBe('settled');
    expect((await ask(body, { zone: 'Europe/London', from: 'settled' })).source).toBe('facts');
  });
});

describe('of more values than are kept', () => {
  const zone = 'UTC';
  const VALUES_MAX = 3;
  const days = ['2026-10-12', '2026-11-01'] as const;
  const body = { date_range: days, dimensions: ['event:page'] };
  const SAMPLED = { sessionsMax: 1 };
  beforeAll(async () => {
    await given(sessionsOf(33, 900));
    await settleDays(postgres.pool, {
      site: SITE,
      zone,
      range: rangeOf(...days, zone),
      valuesMax: VALUES_MAX,
    });
  });

  it('lets the facts answer as long as they would count everything', async () => {
    const settled = await ask(body, { zone, from: 'settled' });
    expect(settled).toEqual(await ask(body, { zone, from: 'facts' }));
    expect(settled.source).toBe('facts');
    expect(settled.otherRow).toBe(false);
  });

  it('answers days that are whole from what is settled, where nothing was put together', async () => {
    await expectAgreement({ date_range: days, dimensions: ['visit:browser'] }, zone);
  });

  it('puts the others together, says so, and says of the kept ones of one day what the facts say', async () => {
    const date_range = ['2026-10-20', '2026-10-20'];
    const settled = await ask({ ...body, date_range }, { zone, from: 'settled', ...SAMPLED });
    const facts = await ask({ ...body, date_range, order_by: [['visits', 'desc']] }, { zone, from: 'facts' });
    expect([settled.source, settled.otherRow, settled.totalRows]).toEqual(['settled', true, VALUES_MAX + 1]);
    const kept = settled.results.filter(({ dimensions }) => dimensions[0] !== '(other)');
    const largest = facts.results.slice(0, VALUES_MAX);
    expect(new Map(kept.map(({ dimensions, metrics }) => [dimensions[0], metrics]))).toEqual(
      new Map(largest.map(({ dimensions, metrics }) => [dimensions[0], metrics])),
    );
    const rare = facts.results.slice(VALUES_MAX).map(({ dimensions }) => dimensions[0]);
    const visitsOfRare = await ask(
      {
        metrics: ['visits', 'visitors', 'pageviews', 'events'],
        date_range,
        filters: [['is', 'event:page', rare]],
      },
      { zone, from: 'facts' },
    );
    const other = await ask(
      { ...body, metrics: ['visits', 'visitors', 'pageviews', 'events'], date_range },
      { zone, from: 'settled', ...SAMPLED },
    );
    expect(rare.length).toBeGreaterThan(1);
    expect(other.results.find(({ dimensions }) => dimensions[0] === '(other)')!.metrics).toEqual(
      visitsOfRare.results[0]!.metrics,
    );
  });

  it.each(['visit:entry_page', 'visit:language', 'visit:source'])(
    'adds up to all visits, pageviews and events by %s, over days and midnights',
    async (dimension) => {
      const metrics = ['visits', 'pageviews', 'events'];
      const settled = await ask(
        { metrics, date_range: days, dimensions: [dimension] },
        { zone, from: 'settled', ...SAMPLED },
      );
      expect(settled.source).toBe('settled');
      const all = await ask({ metrics, date_range: days }, { zone, from: 'facts' });
      const sums = metrics.map((_, n) =>
        settled.results.reduce((sum, row) => sum + Number(row.metrics[n]), 0),
      );
      expect(sums).toEqual(all.results[0]!.metrics);
    },
  );
});

it('estimates the visitors of several days only where the facts would be sampled', async () => {
  await given(
    Array.from({ length: 20_000 }, (_, n) => ({
      site: SITE,
      visitor: createHash('sha256')
        .update(`v${n % 14_000}`)
        .digest()
        .readBigInt64BE(),
      events: [
        { at: midnight(n < 10_000 ? '2026-10-20' : '2026-10-21', 'UTC') + (n % 10_000) * 8_000, page: '/' },
      ],
    })),
  );
  const range = rangeOf('2026-10-20', '2026-10-21', 'UTC');
  await settleDays(postgres.pool, { site: SITE, zone: 'UTC', range });
  const body = { metrics: ['visitors'], date_range: ['2026-10-20', '2026-10-21'] };
  const exact = { results: [{ dimensions: [], metrics: [14_000] }], visitorsEstimated: false };
  expect(await ask(body, { zone: 'UTC', from: 'settled' })).toMatchObject({ ...exact, source: 'settled' });
  expect(await ask({ ...body, dimensions: ['event:page'] }, { zone: 'UTC', from: 'settled' })).toMatchObject({
    source: 'facts',
    results: [{ metrics: [14_000] }],
  });
  for (const dimensions of [[], ['event:page']]) {
    const { results, ...said } = await ask(
      { ...body, dimensions },
      { zone: 'UTC', from: 'settled', sessionsMax: 1_000 },
    );
    expect(said).toMatchObject({ source: 'settled', visitorsEstimated: true, sample: null });
    expect(Math.abs(Number(results[0]!.metrics[0]) / 14_000 - 1)).toBeLessThan(0.04);
  }
  const single = await ask(
    { ...body, dimensions: ['time:day', 'event:page'] },
    { zone: 'UTC', from: 'settled', sessionsMax: 1_000 },
  );
  expect(single).toMatchObject({ source: 'settled', visitorsEstimated: false });
  expect(single.results.map(({ metrics }) => metrics[0])).toEqual([10_000, 10_000]);
}, 60_000);
