// What every report has without saying so, over HTTP as the api role serves it: keys, checks, freshness,
// cache, ETag, CSV, the time limit, documentation, telemetry.
import { setTimeout as delay } from 'node:timers/promises';
import { insertSessions, setCheckpoints } from '../../../../test/read-model-rows.js';
import { type QuerySide, startQuerySide } from '../../../../test/servers/query-side.js';
import { openApiOf } from '../../../http/api-documentation.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { REPORTS } from './report-list.js';

const DAY = '2026-11-10';
const WATERMARK = new Date('2026-11-20T11:59:58Z');
/** Longer than freshness is remembered. */
const NOTICED_MS = 300;

/** Each report's first example, of one day. The visits below give it something to count. */
const BODIES = Object.fromEntries(
  REPORTS.map(({ name, examples }) => [
    name,
    { ...Object.values(examples)[0]!.value, date_range: [DAY, DAY] },
  ]),
);

const STRANGE = [
  null,
  true,
  -1,
  1.5,
  1e308,
  '',
  ' ',
  '\0',
  '\ud800',
  '__proto__',
  "';--",
  [],
  [null],
  {},
  { a: 1 },
];

type Place = readonly (string | number)[];

function placesIn(value: unknown, place: Place = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [place];
  const inside = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  const deeper = inside.flatMap(([key, inner]) => placesIn(inner, [...place, key]));
  return place.length === 0 ? deeper : [place, ...deeper];
}

function withValueAt(body: object, place: Place, value: unknown): object {
  const changed = structuredClone(body);
  const holder = place.slice(0, -1).reduce<unknown>((of, key) => (of as Place)[key as number], changed);
  (holder as Record<string | number, unknown>)[place.at(-1)!] = value;
  return changed;
}

let side: QuerySide;
let postgres: QuerySide['postgres'];
let plane: QuerySide['plane'];
let site: string;
let reader: string;

beforeAll(async () => {
  side = await startQuerySide({
    environment: { QUERY_TIMEOUT_MS: '1000' },
    about: { timezone: 'Europe/Berlin' },
    watermark: WATERMARK,
  });
  ({ postgres, plane, site, reader } = side);
  await insertSessions(postgres.pool, [visit(1n, `${DAY}T09:30:00Z`), visit(2n, `${DAY}T10:30:00Z`, true)]);
});
afterAll(() => side?.stop());

const visit = (visitor: bigint, instant: string, bot = false) => ({
  site,
  visitor,
  bot,
  events: ['/', '/pricing', '/cart', 'Checkout', 'Order', '/thanks'].map((what, minute) => ({
    at: Date.parse(instant) + minute * 60_000,
    ...(what.startsWith('/') ? { page: what } : { name: what }),
  })),
});
const path = (report: string, of = site) => `/v1/sites/${of}/${report}/query`;
const ask = (report: string, body: object = {}, headers: Record<string, string> = {}) =>
  plane.call('POST', path(report), { key: reader, body: { ...BODIES[report], ...body }, headers });

describe.each(Object.keys(BODIES))('%s', (report) => {
  it('answers with freshness and the complete query, in days of the site', async () => {
    const { status, body, headers } = await ask(report);
    expect([status, Object.keys(body)]).toEqual([200, ['results', 'meta', 'query']]);
    expect(body.meta).toEqual({
      watermark: WATERMARK.toISOString(),
      lag_ms: expect.any(Number),
      projection: 'sessions@1',
      sampled: false,
      source: 'facts',
      bots: 'excluded',
    });
    expect(body.query).toMatchObject({
      date_range: [`${DAY}T00:00:00+01:00`, '2026-11-11T00:00:00+01:00'],
      filters: [],
      include: { bots: false },
    });
    expect(headers).toMatchObject({ vary: 'accept', etag: expect.stringMatching(/^W\/"[\w-]+"$/) });
  });

  it('answers its own echo alike, by id and by domain', async () => {
    const first = await ask(report, { filters: [['is', 'event:page', ['/']]] });
    const again = await plane.call('POST', path(report, 'Shop.Example'), {
      key: reader,
      body: first.body.query,
    });
    expect([again.status, again.body.results]).toEqual([200, first.body.results]);
    expect(again.headers.etag).toBe(first.headers.etag);
    expect(again.body.query).toEqual(first.body.query);
  });

  it('counts bots and heeds filters only where asked', async () => {
    const [plain, bots, nobody] = [
      await ask(report),
      await ask(report, { include: { bots: true } }),
      await ask(report, { filters: [['is', 'visit:country', ['DE']]] }),
    ];
    expect(bots.body.meta.bots).toBe('included');
    expect(new Set([plain, bots, nobody].map(({ body }) => JSON.stringify(body.results))).size).toBe(3);
  });

  it('answers 304 while the numbers are the same, and remembers them until a checkpoint moves', async () => {
    const date_range = ['2026-11-12', '2026-11-12'];
    const first = await ask(report, { date_range });
    const etag = first.headers.etag as string;
    expect((await ask(report, { date_range }, { 'if-none-match': etag })).status).toBe(304);
    await insertSessions(postgres.pool, [visit(9n, '2026-11-12T10:00:00Z')]);
    expect((await ask(report, { date_range }, { 'if-none-match': etag })).status).toBe(304);
    await setCheckpoints(postgres.pool, `2 ${report}`, [WATERMARK, WATERMARK]);
    await delay(NOTICED_MS);
    const moved = await ask(report, { date_range }, { 'if-none-match': etag });
    expect([moved.status, moved.headers.etag === etag]).toEqual([200, false]);
    await postgres.pool.query(`DELETE FROM sessions_v1 WHERE visitor = 9`);
    await postgres.pool.query(`DELETE FROM traffic_v1 WHERE hour >= '2026-11-12'`);
  });

  it('gives a table as CSV', async () => {
    const response = await plane.app.inject({
      method: 'POST',
      url: path(report),
      headers: { authorization: `Bearer ${reader}`, accept: 'text/csv' },
      payload: BODIES[report]!,
    });
    expect(response.headers['content-type']).toBe('text/csv; charset=utf-8');
    const [header, ...rows] = response.payload.trimEnd().split('\r\n');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every((row) => row.split(',').length === header!.split(',').length)).toBe(true);
  });

  it("refuses who may not read, and another merchant's site exactly as one that does not exist", async () => {
    const body = BODIES[report];
    expect((await plane.call('POST', path(report), { key: null, body })).status).toBe(401);
    const ingest = await side.keyFor(site, ['ingest']);
    expect((await plane.call('POST', path(report), { key: ingest, body })).status).toBe(403);
    const domain = `${report}.example`;
    const other = (await plane.call('POST', '/v1/sites', { body: { domain } })).body.id as string;
    const answers = await Promise.all(
      [other, 'nowhere'].map((of) => plane.call('POST', path(report, of), { key: reader, body })),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(answers[0]!.body).toEqual(answers[1]!.body);
  });

  it.each<[string, unknown, number, string]>([
    ['a key that it does not know', { metrics: ['visits'] }, 400, 'metrics'],
    ['what only tables of metrics include', { include: { total_rows: true } }, 400, 'include.total_rows'],
    ['a date range that there is not', { date_range: 'ever' }, 400, 'date_range'],
    ['a day that there is not', { date_range: ['2026-02-30', '2026-03-01'] }, 400, 'date_range[0]'],
    ['a filter on nothing', { filters: [['is', 'visit:color', ['red']]] }, 400, 'filters[0][1]'],
    ['a malformed pattern', { filters: [['matches', 'event:page', ['(']]] }, 400, 'filters[0][2][0]'],
    [
      'more filters than anybody needs',
      { filters: Array.from({ length: 51 }, () => ['is', 'event:page', ['/']]) },
      422,
      'filters',
    ],
  ])('refuses %s, naming the path', async (_, body, status, where) => {
    const answer = await ask(report, body as object);
    expect([answer.status, answer.body.errors[0].path]).toEqual([status, where]);
  });

  it.each(['text', 5, [], null])('refuses %j for a body', async (body) => {
    const response = await plane.call('POST', path(report), { key: reader, body });
    expect(response.status).toBe(400);
  });

  it('ends what runs too long, and says what to narrow', async () => {
    const holder = await postgres.pool.connect();
    await holder.query('BEGIN; LOCK TABLE sessions_v1 IN ACCESS EXCLUSIVE MODE');
    try {
      const { status, body } = await ask(report, { date_range: ['2026-11-13', '2026-11-13'] });
      expect([status, body.type]).toEqual([422, '/problems/query-too-costly']);
      expect(body.detail).toContain('narrow');
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
  });

  it.each(["'; DROP TABLE sessions_v1; --", '$1', '\\', '%', '{"a"}'])(
    'treats %j in a filter as a value',
    async (value) => {
      const filters = [
        [
          'or',
          [
            ['is', 'visit:source', [value]],
            ['contains', 'event:page', [value]],
          ],
        ],
      ];
      expect((await ask(report, { filters })).status).toBe(200);
    },
  );

  it('answers whatever stands anywhere in its body, or says where that is wrong', async () => {
    const { request } = REPORTS.find(({ name }) => name === report)!;
    for (const place of placesIn(BODIES[report]!)) {
      for (const value of STRANGE) {
        const body = withValueAt(BODIES[report]!, place, value);
        const { status, body: answer } = await plane.call('POST', path(report), { key: reader, body });
        const asked = JSON.stringify(body);
        if (status === 200) expect([asked, request.safeParse(body).error]).toEqual([asked, undefined]);
        else expect([asked, status, answer.errors?.[0].path]).toEqual([asked, 400, expect.any(String)]);
      }
    }
  });

  it('is documented with its examples, which the check takes for requests', async () => {
    const { paths } = openApiOf(plane.app, { version: '1' });
    const { requestBody, responses } = paths[`/v1/sites/{site}/${report}/query`]!.post as unknown as {
      requestBody: {
        content: Record<string, { schema: object; examples: Record<string, { value: object }> }>;
      };
      responses: Record<string, { content: Record<string, { schema: object }> }>;
    };
    const { schema, examples } = requestBody.content['application/json']!;
    expect(schema).toMatchObject({ type: 'object', properties: { date_range: expect.anything() } });
    expect(responses['200']!.content['application/json']!.schema).toMatchObject({
      properties: { results: { type: 'object' } },
    });
    const { request } = REPORTS.find(({ name }) => name === report)!;
    expect(Object.keys(examples).length).toBeGreaterThan(0);
    for (const { value } of Object.values(examples)) expect(request.safeParse(value).error).toBeUndefined();
  });

  it('is measured', async () => {
    const text = await plane.app.get(Telemetry).registry.metrics();
    for (const source of ['facts', 'cache']) {
      expect(text).toContain(`tidemark_query_report_seconds_count{report="${report}",source="${source}"}`);
    }
  });
});
