// POST /v1/sites/{site}/query as the api role serves it: real modules, real PostgreSQL.
import { setTimeout as delay } from 'node:timers/promises';
import { type GivenSession, insertSessions, setCheckpoints } from '../../../test/read-model-rows.js';
import { type QuerySide, startQuerySide } from '../../../test/servers/query-side.js';
import { settleDays } from '../../../test/settling.js';
import { Telemetry } from '../../telemetry/telemetry.js';

const DAY = '2026-11-10';
const at = (time: string) => Date.parse(`${DAY}T${time}Z`);
const WATERMARK = new Date('2026-11-20T11:59:58Z');
/** Longer than freshness is remembered. */
const NOTICED_MS = 300;

let side: QuerySide;
let postgres: QuerySide['postgres'];
let plane: QuerySide['plane'];
let site: string;
let reader: string;

beforeAll(async () => {
  side = await startQuerySide({
    environment: { QUERY_TIMEOUT_MS: '1000', QUERY_SESSIONS_MAX: '1000' },
    watermark: WATERMARK,
  });
  ({ postgres, plane, site, reader } = side);
  const session = (visitor: bigint, time: string, about: Record<string, string> = {}): GivenSession => ({
    site,
    visitor,
    events: [
      { at: at(time), page: '/' },
      { at: at(time) + 60_000, page: '/=x' },
    ],
    about,
  });
  await insertSessions(postgres.pool, [
    session(1n, '09:30:00', { source: 'Google' }),
    session(2n, '10:30:00', { source: '=cmd()' }),
    session(2n, '11:59:30'),
  ]);
});
afterAll(() => side?.stop());

const ask = (body: unknown, headers: Record<string, string> = {}) =>
  plane.call('POST', `/v1/sites/${site}/query`, { key: reader, body, headers });

const SERIES = {
  metrics: ['visitors', 'visits', 'pageviews'],
  date_range: [DAY, DAY],
  dimensions: ['time:hour'],
};

it('answers with numbers, freshness and the complete query', async () => {
  const { status, body, headers } = await ask({
    ...SERIES,
    include: { time_labels: true, total_rows: true },
  });
  expect(status).toBe(200);
  expect(body.results).toEqual([
    { dimensions: [`${DAY} 09:00:00`], metrics: [1, 1, 2] },
    { dimensions: [`${DAY} 10:00:00`], metrics: [1, 1, 2] },
    { dimensions: [`${DAY} 11:00:00`], metrics: [1, 1, 1] },
    { dimensions: [`${DAY} 12:00:00`], metrics: [1, 1, 1] },
  ]);
  expect(body.meta).toMatchObject({
    watermark: WATERMARK.toISOString(),
    projection: 'traffic@1',
    sampled: false,
    source: 'rollup',
    bots: 'excluded',
    total_rows: 4,
  });
  expect(body.meta.lag_ms).toBeGreaterThanOrEqual(0);
  expect(body.meta.time_labels).toHaveLength(24);
  expect(body.query).toMatchObject({ date_range: [`${DAY}T00:00:00+00:00`, '2026-11-11T00:00:00+00:00'] });
  expect(headers).toMatchObject({ vary: 'accept', etag: expect.stringMatching(/^W\/"[\w-]+"$/) });
});

it('answers its own echo alike, by id and by domain', async () => {
  const first = await ask({ ...SERIES, dimensions: ['visit:source'] });
  const again = await plane.call('POST', '/v1/sites/Shop.Example/query', {
    key: reader,
    body: first.body.query,
  });
  expect(again.body.results).toEqual(first.body.results);
  expect(again.headers.etag).toBe(first.headers.etag);
  expect(first.body.meta).toMatchObject({ projection: 'sessions@1', source: 'facts' });
});

it('begins weeks as the site is told, from the next question on, unless the request says otherwise', async () => {
  const weeks = async (more: object = {}) => {
    const range = { date_range: ['2026-11-08', '2026-11-14'], dimensions: ['time:week'] };
    const { body } = await ask({ ...SERIES, ...range, include: { time_labels: true }, ...more });
    return [body.query.week_start, ...body.meta.time_labels];
  };
  const tell = (weekStart: string) => plane.call('PATCH', `/v1/sites/${site}`, { body: { weekStart } });
  expect(await weeks()).toEqual(['monday', '2026-11-08', '2026-11-09']);
  await tell('sunday');
  expect(await weeks()).toEqual(['sunday', '2026-11-08']);
  expect(await weeks({ week_start: 'saturday' })).toEqual(['saturday', '2026-11-08', '2026-11-14']);
  const retention = { date_range: ['2026-11-08', '2026-11-14'] };
  const { body } = await plane.call('POST', `/v1/sites/${site}/retention/query`, {
    key: reader,
    body: retention,
  });
  expect(body.query.week_start).toBe('sunday');
  expect(body.results.cohorts).toMatchObject([{ cohort: '2026-11-08', visitors: 2 }]);
  await tell('monday');
  expect(await weeks()).toEqual(['monday', '2026-11-08', '2026-11-09']);
});

it('takes all to begin with the first session', async () => {
  const { body } = await ask({ metrics: ['visits'], date_range: 'all' });
  expect(body.query.date_range[0]).toBe(`${DAY}T00:00:00+00:00`);
  expect(body.results).toEqual([{ dimensions: [], metrics: [3] }]);
});

it('answers 304 while the numbers are the same, whatever the freshness', async () => {
  const { headers } = await ask(SERIES);
  await setCheckpoints(postgres.pool, '2', [WATERMARK, new Date('2026-11-20T12:00:10Z')]);
  await delay(NOTICED_MS);
  const same = await ask(SERIES, { 'if-none-match': `"other", ${headers.etag as string}` });
  expect([same.status, same.body]).toEqual([304, undefined]);
  expect((await ask(SERIES, { 'if-none-match': '"other"' })).status).toBe(200);
});

it('has another ETag for CSV, so that who has JSON is not told to keep it', async () => {
  const json = (await ask(SERIES)).headers.etag as string;
  const asCsv = (known: string) =>
    plane.app.inject({
      method: 'POST',
      url: `/v1/sites/${site}/query`,
      headers: { authorization: `Bearer ${reader}`, accept: 'text/csv', 'if-none-match': known },
      payload: SERIES,
    });
  const csv = await asCsv(json);
  expect([csv.statusCode, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
  expect((await asCsv(csv.headers.etag as string)).statusCode).toBe(304);
  expect((await ask(SERIES, { 'if-none-match': csv.headers.etag as string })).status).toBe(200);
});

/** While nobody can read a session or an hour. */
async function withoutFacts<T>(work: () => Promise<T>): Promise<T> {
  const caller = await postgres.pool.connect();
  await caller.query('BEGIN; LOCK TABLE sessions_v1, traffic_v1 IN ACCESS EXCLUSIVE MODE');
  try {
    return await work();
  } finally {
    await caller.query('ROLLBACK');
    caller.release();
  }
}

describe('an answer that is known', () => {
  const day = (date: string) => ({
    metrics: ['visits'],
    date_range: [date, date],
    dimensions: ['visit:source'],
  });
  let visits = 0;
  const visit = async (of: string, date: string) => {
    const at = Date.parse(`${date}T12:00:00Z`) + ++visits * 3_600_000;
    await insertSessions(postgres.pool, [{ site: of, visitor: 77n, events: [{ at }] }]);
    await setCheckpoints(postgres.pool, `visit ${visits}`, [WATERMARK, WATERMARK]);
    await delay(NOTICED_MS);
  };

  it('needs no session to be read again, nor does 304, whatever happens elsewhere', async () => {
    const body = day('2026-11-13');
    const first = await ask(body);
    await visit('another site', '2026-11-13');
    await visit(site, '2026-11-15');
    const [again, same] = await withoutFacts(async () => [
      await ask(body),
      await ask(body, { 'if-none-match': first.headers.etag as string }),
    ]);
    expect([again.status, again.headers.etag]).toEqual([200, first.headers.etag]);
    expect(same.status).toBe(304);
  });

  it('is computed anew when late events reach its days, or those it is compared with', async () => {
    const body = { ...day('2026-11-16'), dimensions: [], include: { compare: 'previous_period' } };
    expect((await ask(body)).body.results[0]).toEqual({
      dimensions: [],
      metrics: [0],
      comparison: { metrics: [1], change: [-100] },
    });
    await visit(site, '2026-11-15');
    expect((await ask(body)).body.results[0].comparison).toEqual({ metrics: [2], change: [-100] });
    await visit(site, '2026-11-16');
    expect((await ask(body)).body.results[0].metrics).toEqual([1]);
  });
});

it('answers with comparison, totals and filled buckets', async () => {
  const { body } = await ask({
    metrics: ['visits'],
    date_range: [DAY, '2026-11-11'],
    dimensions: ['time:day'],
    include: { compare: 'previous_period', totals: true, fill: true, time_labels: true },
  });
  expect(body.results).toEqual([
    { dimensions: [DAY], metrics: [3], comparison: { metrics: [0], change: [100] } },
    { dimensions: ['2026-11-11'], metrics: [0], comparison: { metrics: [0], change: [0] } },
  ]);
  expect(body.meta).toMatchObject({
    totals: { metrics: [3], comparison: { metrics: [0], change: [100] } },
    comparison_date_range: ['2026-11-08T00:00:00+00:00', '2026-11-10T00:00:00+00:00'],
    comparison_time_labels: ['2026-11-08', '2026-11-09'],
  });
});

it('samples beyond the budget, and says so', async () => {
  const other = (await plane.call('POST', '/v1/sites', { body: { domain: 'large.example' } })).body.id;
  const at = Date.parse('2026-11-10T12:00:00Z');
  await insertSessions(
    postgres.pool,
    Array.from({ length: 1_500 }, (_, n) => ({ site: other, visitor: BigInt(n), events: [{ at: at + n }] })),
  );
  const { body } = await plane.call('POST', `/v1/sites/${other}/query`, {
    body: { metrics: ['visitors'], date_range: [DAY, DAY], filters: [['is', 'event:page', ['/']]] },
  });
  const { sampled, sample_rate: rate, sample_error: error } = body.meta;
  expect([sampled, Math.round(rate * 100)]).toEqual([true, 67]);
  expect(Math.abs(body.results[0].metrics[0] / 1_500 - 1)).toBeLessThan(4 * error);
  expect(error).toBeLessThan(0.03);
});

it('asks anew what was answered from a sample once days are settled, and remembers that', async () => {
  const other = (await plane.call('POST', '/v1/sites', { body: { domain: 'busy.example' } })).body.id;
  const at = Date.parse(`${DAY}T12:00:00Z`);
  await insertSessions(
    postgres.pool,
    Array.from({ length: 1_500 }, (_, n) => ({ site: other, visitor: BigInt(n), events: [{ at: at + n }] })),
  );
  const body = { metrics: ['visits'], date_range: [DAY, DAY], dimensions: ['visit:source'] };
  const answer = async () => (await plane.call('POST', `/v1/sites/${other}/query`, { body })).body;
  expect((await answer()).meta).toMatchObject({ sampled: true, source: 'facts' });
  const from = Date.parse(`${DAY}T00:00:00Z`);
  await settleDays(postgres.pool, { site: other, zone: 'UTC', range: { from, to: from + 86_400_000 } });
  const settled = await answer();
  expect([settled.meta.source, settled.meta.sampled]).toEqual(['settled', false]);
  expect(settled.results).toEqual([{ dimensions: ['Direct / None'], metrics: [1_500] }]);
  const again = await withoutFacts(answer);
  expect(again.results).toEqual(settled.results);
});

it('remembers an answer until a checkpoint moves', async () => {
  const body = { metrics: ['visits'], date_range: ['2026-11-12', '2026-11-12'] };
  expect((await ask(body)).body.results[0].metrics).toEqual([0]);
  await insertSessions(postgres.pool, [
    { site, visitor: 9n, events: [{ at: Date.parse('2026-11-12T10:00:00Z') }] },
  ]);
  await delay(NOTICED_MS);
  expect((await ask(body)).body.results[0].metrics).toEqual([0]);
  await setCheckpoints(postgres.pool, '3', [WATERMARK, WATERMARK]);
  await delay(NOTICED_MS);
  expect((await ask(body)).body.results[0].metrics).toEqual([1]);
});

it('gives CSV that no spreadsheet runs', async () => {
  const response = await plane.app.inject({
    method: 'POST',
    url: `/v1/sites/${site}/query`,
    headers: { authorization: `Bearer ${reader}`, accept: 'text/csv' },
    payload: { metrics: ['visits'], date_range: [DAY, DAY], dimensions: ['visit:source'] },
  });
  expect(response.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(response.payload).toBe(`visit:source,visits\r\n'=cmd(),1\r\nDirect / None,1\r\nGoogle,1\r\n`);
});

describe('refuses', () => {
  it('who has no key, or one that may not read', async () => {
    const body = SERIES;
    const path = `/v1/sites/${site}/query`;
    expect((await plane.call('POST', path, { key: null, body })).status).toBe(401);
    expect((await plane.call('POST', path, { key: 'nobody', body })).status).toBe(401);
    const ingest = await side.keyFor(site, ['ingest']);
    expect((await plane.call('POST', path, { key: ingest, body })).status).toBe(403);
  });

  it("another merchant's site exactly as one that does not exist", async () => {
    const other = (await plane.call('POST', '/v1/sites', { body: { domain: 'other.example' } })).body.id;
    const answers = await Promise.all(
      [other, 'nowhere'].map((name) =>
        plane.call('POST', `/v1/sites/${name}/query`, { key: reader, body: SERIES }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(answers[0]!.body).toEqual(answers[1]!.body);
    expect((await plane.call('POST', `/v1/sites/${other}/query`, { body: SERIES })).status).toBe(200);
  });

  it('what it does not know, naming the path', async () => {
    const { status, body } = await ask({ ...SERIES, include: { sums: true } });
    expect([status, body.errors]).toEqual([400, [{ path: 'include.sums', message: 'there is no such key' }]]);
  });

  it.each(['(', 'a{2,1}', '[z-a]', '(?<name>a)', '*a'])(
    'the pattern %s, which PostgreSQL does not take',
    async (pattern) => {
      const { status, body } = await ask({
        ...SERIES,
        filters: [['not', ['and', [['matches', 'visit:source', ['fine', pattern]]]]]],
      });
      expect([status, body.errors[0].path]).toEqual([400, 'filters[0][1][1][0][2][1]']);
    },
  );

  it('what runs too long, and says what to narrow', async () => {
    const caller = await postgres.pool.connect();
    await caller.query('BEGIN; LOCK TABLE sessions_v1 IN ACCESS EXCLUSIVE MODE');
    try {
      const { status, body } = await ask({ ...SERIES, dimensions: ['visit:os'] });
      expect([status, body.type]).toEqual([422, '/problems/query-too-costly']);
      expect(body.detail).toContain('narrow');
    } finally {
      await caller.query('ROLLBACK');
      caller.release();
    }
    expect((await ask({ ...SERIES, dimensions: ['visit:os'] })).status).toBe(200);
  });
});

it.each(["'; DROP TABLE sessions_v1; --", '$1', '\\', "\\' OR 1=1 --", '%', '{"a"}'])(
  'treats %j in a filter as a value',
  async (value) => {
    const { status, body } = await ask({
      metrics: ['visits'],
      date_range: [DAY, DAY],
      filters: [
        [
          'or',
          [
            ['is', 'visit:source', [value]],
            ['contains', 'event:page', [value], { case_sensitive: false }],
          ],
        ],
      ],
    });
    expect([status, body.results[0].metrics]).toEqual([200, [0]]);
  },
);

it('measures answers and refusals', async () => {
  const text = await plane.app.get(Telemetry).registry.metrics();
  for (const source of ['rollup', 'facts', 'cache']) {
    expect(text).toMatch(new RegExp(`tidemark_query_answer_seconds_count\\{source="${source}"\\} [1-9]`));
  }
  expect(text).toMatch(/tidemark_query_refusals_total\{status="400"\} [1-9]/);
  expect(text).toMatch(/tidemark_query_refusals_total\{status="422"\} [1-9]/);
});
