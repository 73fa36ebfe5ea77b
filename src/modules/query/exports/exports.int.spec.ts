// Exports over HTTP as the api role makes them, each row compared with a plain walk over the inserted sessions.
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  createReadModels,
  type GivenEvent,
  type GivenSession,
  hasBounced,
  hostnameOf,
  insertSessions,
  isCounted,
  isPageview,
  pageOf,
  setCheckpoints,
} from '../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { QueryModule } from '../query.module.js';

const DAY = '2026-11-10';
/** In Berlin. */
const FROM = Date.parse('2026-11-09T23:00:00Z');
const TO = Date.parse('2026-11-10T23:00:00Z');
const HOUR_MS = 3_600_000;
const WATERMARK = new Date('2026-11-20T11:59:58Z');

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: string;
let reader: string;
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, JOBS_WAITING_PER_SITE_MAX: '100' },
    modules: [QueryModule],
  });
  await createReadModels(postgres.pool);
  await setCheckpoints(postgres.pool, '1', [new Date('2026-11-20T12:00:00Z'), WATERMARK]);
  const zone = { domain: 'shop.example', timezone: 'Europe/Berlin' };
  site = (await plane.call('POST', '/v1/sites', { body: zone })).body.id;
  const body = { name: 'k', scopes: ['stats:read'] };
  reader = (await plane.call('POST', `/v1/sites/${site}/keys`, { body })).body.key;
  const range = { from: FROM - 3 * HOUR_MS, to: TO + 3 * HOUR_MS };
  sessions = randomSessions({ seed: 7, site, count: 400, ...range }).map(enriched);
  await insertSessions(postgres.pool, sessions);
  await insertSessions(postgres.pool, [{ ...sessions[0]!, site: 'another' }]);
});
afterAll(async () => {
  await plane?.close();
  await postgres?.stop();
});

/** With what random sessions lack. */
function enriched(session: GivenSession, number: number): GivenSession {
  const events = session.events.map((event, index): GivenEvent => {
    const which = (number + index) % 7;
    return {
      ...event,
      ...(which === 1 && { props: { plan: 'pro', 'ключ "1"': 'a\n,b', n: 0.1, ok: true } }),
      ...(which === 2 && { revenue: [index % 2 === 0 ? '12.5' : '-0.000001', 'EUR'] as const }),
      ...(event.name === 'engagement' && { engagementMs: 1_000 + index, scrollDepth: 10 * which }),
    };
  });
  return { ...session, events };
}

const hex = (id: bigint) => BigInt.asUintN(64, id).toString(16).padStart(16, '0');
const iso = (at: number) => new Date(at).toISOString();

interface Numbered {
  readonly given: GivenSession;
  readonly id: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** In the order of an export. */
function numbered(): readonly Numbered[] {
  return sessions
    .map((given, index) => {
      const counted = given.events.filter(isCounted);
      return { given, id: hex(BigInt(index)), startedAt: counted[0]!.at, endedAt: counted.at(-1)!.at };
    })
    .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
}

const naiveEvents = (bots = false) =>
  numbered().flatMap(({ given, id }) => {
    if (given.bot && !bots) return [];
    return given.events.flatMap((event, index) => {
      if (event.at < FROM || event.at >= TO) return [];
      return [
        {
          session_id: id,
          event_index: index,
          visitor_id: hex(event.visitor ?? given.visitor),
          occurred_at: iso(event.at),
          name: event.name ?? 'pageview',
          page: pageOf(event),
          hostname: hostnameIn(given, event),
          interactive: event.interactive ?? true,
          engagement_ms: event.engagementMs ?? null,
          scroll_percent: event.scrollDepth ?? null,
          revenue_amount: event.revenue?.[0] ?? null,
          revenue_currency: event.revenue?.[1] ?? null,
          props: event.props ?? null,
          bot: given.bot ?? false,
        },
      ];
    });
  });

/** As rows keep it: where all events have the entry's host name, those without a URL have it, too. */
function hostnameIn({ events }: GivenSession, event: GivenEvent): string | null {
  const entry = events.find((one) => isCounted(one) && isPageview(one));
  const entryHostname = entry === undefined ? null : hostnameOf(entry);
  return events.every((one) => hostnameOf(one) === entryHostname) ? entryHostname : hostnameOf(event);
}

const naiveSessions = (passes: (session: Numbered) => boolean = () => true) =>
  numbered()
    .filter(({ given }) => !given.bot)
    .filter(({ startedAt, endedAt }) => startedAt < TO && endedAt >= FROM)
    .filter(passes)
    .map(({ given, id, startedAt, endedAt }) => {
      const counted = given.events.filter(isCounted);
      const pageviews = counted.filter(isPageview);
      const [entry, exit] = [pageviews[0], pageviews.at(-1)];
      const engagement = given.events.flatMap(({ engagementMs }) => engagementMs ?? []);
      return {
        session_id: id,
        visitor_id: hex(given.visitor),
        started_at: iso(startedAt),
        ended_at: iso(endedAt),
        duration_ms: endedAt - startedAt,
        bounced: hasBounced(given),
        bot: false,
        pageviews: pageviews.length,
        events: counted.length,
        engagement_ms: engagement.length === 0 ? null : engagement.reduce((sum, one) => sum + one, 0),
        entry_page: entry ? pageOf(entry) : null,
        exit_page: exit ? pageOf(exit) : null,
        entry_hostname: entry ? hostnameOf(entry) : null,
        exit_hostname: exit ? hostnameOf(exit) : null,
        ...Object.fromEntries(
          [
            ...['referrer', 'source', 'channel', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content'],
            ...['utm_term', 'country', 'region', 'city', 'browser', 'browser_version', 'os', 'os_version'],
            ...['device', 'screen', 'language'],
          ].map((name) => [name, given.about?.[name] ?? null]),
        ),
      };
    });

async function finished(body: object) {
  const created = await plane.call('POST', `/v1/sites/${site}/exports`, { key: reader, body });
  expect([created.status, created.body.problem]).toEqual([202, undefined]);
  for (;;) {
    const { body: job } = await plane.call('GET', created.headers.location as string, { key: reader });
    if (job.state !== 'queued' && job.state !== 'running') return job;
    await delay(20);
  }
}

async function bytesOf(body: object) {
  const job = await finished(body);
  expect([job.state, job.problem]).toEqual(['done', undefined]);
  const headers = { authorization: `Bearer ${reader}` };
  const response = await plane.app.inject({ method: 'GET', url: job.result.href, headers });
  expect([response.statusCode, response.rawPayload.length]).toEqual([200, job.result.bytes]);
  return { job, bytes: response.rawPayload, headers: response.headers };
}

async function linesOf(body: object) {
  const { job, bytes } = await bytesOf({ format: 'ndjson', date_range: [DAY, DAY], ...body });
  const lines = bytes.toString().split('\n');
  expect(lines.pop()).toBe('');
  expect(job.result.rows).toBe(lines.length);
  return { job, rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

it('has a row for each event of the range, in order', async () => {
  const { job, rows } = await linesOf({ what: 'events' });
  const expected = naiveEvents();
  expect(expected.length).toBeGreaterThan(300);
  expect(rows).toEqual(expected);
  expect(rows.map((row) => Object.keys(row))).toEqual(rows.map(() => Object.keys(expected[0]!)));
  expect(job.result).toMatchObject({
    content_type: 'application/x-ndjson',
    projection: 'sessions@1',
    watermark: WATERMARK.toISOString(),
    changed_meanwhile: false,
  });
  expect(job.request).toEqual({
    what: 'events',
    format: 'ndjson',
    date_range: [`${DAY}T00:00:00+01:00`, '2026-11-11T00:00:00+01:00'],
    filters: [],
    include: { bots: false },
  });
});

it('has the same events in exports of the parts as in one of the whole', async () => {
  const whole = await linesOf({ what: 'events' });
  const noon = `${DAY}T12:00:00+01:00`;
  const parts = await Promise.all(
    [
      [`${DAY}T00:00:00+01:00`, noon],
      [noon, '2026-11-11T00:00:00+01:00'],
    ].map((date_range) => linesOf({ what: 'events', date_range })),
  );
  const named = (row: Record<string, unknown>) => JSON.stringify(row);
  expect(parts.flatMap(({ rows }) => rows.map(named)).sort()).toEqual(whole.rows.map(named).sort());
});

it('has bots only where they are asked for', async () => {
  const { rows } = await linesOf({ what: 'events', include: { bots: true } });
  expect(rows).toEqual(naiveEvents(true));
  expect(rows.some(({ bot }) => bot)).toBe(true);
});

it('has a row for each session that a query counts as a visit', async () => {
  const { rows } = await linesOf({ what: 'sessions' });
  expect(rows).toEqual(naiveSessions());
  const body = { metrics: ['visits', 'visitors'], date_range: [DAY, DAY] };
  const { results } = (await plane.call('POST', `/v1/sites/${site}/query`, { body })).body;
  expect(rows).toHaveLength(results[0].metrics[0]);
});

it('filters sessions and events as queries do', async () => {
  const filters = [['is', 'visit:country', ['DE']]];
  const german = ({ given }: Numbered) => given.about?.country === 'DE';
  expect((await linesOf({ what: 'sessions', filters })).rows).toEqual(naiveSessions(german));
  const pricing = [
    ['is', 'event:page', ['/pricing']],
    ['is_not', 'event:name', ['engagement']],
  ];
  const { rows } = await linesOf({ what: 'events', filters: pricing });
  expect(rows).toEqual(
    naiveEvents().filter(({ page, name }) => page === '/pricing' && name !== 'engagement'),
  );
  expect(rows.length).toBeGreaterThan(10);
  const seen = ({ given }: Numbered) =>
    given.events.some(
      (event) => isCounted(event) && pageOf(event) === '/pricing' && event.at >= FROM && event.at < TO,
    );
  const visits = await linesOf({ what: 'sessions', filters: [['is', 'event:page', ['/pricing']]] });
  expect(visits.rows).toEqual(naiveSessions(seen));
});

it('keeps the filters of a segment as they were', async () => {
  const saved = { name: 'Germans', filters: [['is', 'visit:country', ['DE']]] };
  const { body: segment } = await plane.call('POST', `/v1/sites/${site}/segments`, { body: saved });
  const { job, rows } = await linesOf({ what: 'sessions', filters: [['is', 'segment', [segment.id]]] });
  expect(job.request.filters).toEqual(saved.filters);
  expect(rows).toHaveLength(naiveSessions(({ given }) => given.about?.country === 'DE').length);
});

it.each([
  ['events', () => naiveEvents()],
  ['sessions', () => naiveSessions()],
])('says the same of %s in Parquet', async (what, naive) => {
  const { bytes, headers } = await bytesOf({ what, format: 'parquet', date_range: [DAY, DAY] });
  expect(headers['content-type']).toBe('application/vnd.apache.parquet');
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const compressors = { GZIP: (page: Uint8Array) => new Uint8Array(gunzipSync(page)) };
  const file = {
    byteLength: buffer.byteLength,
    slice: (from: number, to?: number) => buffer.slice(from, to),
  };
  const rows = await parquetReadObjects({ file, compressors });
  const plain = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'bigint'
          ? Number(value)
          : value instanceof Date
            ? value.toISOString()
            : (value ?? null),
      ]),
    ),
  );
  expect(plain).toEqual(naive());
});

it('is an empty file where there is nothing, in either form', async () => {
  const empty = { what: 'events', date_range: ['2020-01-01', '2020-01-02'] };
  expect((await bytesOf({ ...empty, format: 'ndjson' })).bytes).toHaveLength(0);
  const { bytes, job } = await bytesOf({ ...empty, format: 'parquet' });
  expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
  expect(job.result.rows).toBe(0);
});

it('is the same bytes whenever it is made', async () => {
  const body = { what: 'events', format: 'parquet', date_range: [DAY, DAY] };
  const [one, two] = [await bytesOf(body), await bytesOf(body)];
  expect(one.bytes.equals(two.bytes)).toBe(true);
  expect(one.job.result.sha256).toBe(two.job.result.sha256);
});

it.each<[string, object, number, string]>([
  ['nothing', {}, 400, 'what'],
  ['what there is not', { what: 'visitors', date_range: '7d' }, 400, 'what'],
  ['another form', { what: 'events', format: 'xlsx', date_range: '7d' }, 400, 'format'],
  ['no range', { what: 'events' }, 400, 'date_range'],
  [
    'a day that there is not',
    { what: 'events', date_range: ['2026-02-30', '2026-03-01'] },
    400,
    'date_range[0]',
  ],
  ['a key that it does not know', { what: 'events', date_range: '7d', metrics: [] }, 400, 'metrics'],
  [
    'a segment that there is not',
    { what: 'events', date_range: '7d', filters: [['is', 'segment', ['x']]] },
    400,
    'filters[0][2][0]',
  ],
  [
    'more filters than anybody needs',
    {
      what: 'events',
      date_range: '7d',
      filters: Array.from({ length: 51 }, () => ['is', 'event:page', ['/']]),
    },
    422,
    'filters',
  ],
])('refuses %s, naming the path', async (_, body, status, path) => {
  const answer = await plane.call('POST', `/v1/sites/${site}/exports`, { key: reader, body });
  expect([answer.status, answer.body.errors[0].path]).toEqual([status, path]);
});

it('fails with the reason where a regular expression is refused by PostgreSQL', async () => {
  const filters = [['matches', 'event:page', ['a{2,1}']]];
  const body = { what: 'events', date_range: [DAY, DAY], filters };
  expect((await finished(body)).problem).toMatchObject({
    status: 400,
    errors: [{ path: 'filters[0][2][0]' }],
  });
});
