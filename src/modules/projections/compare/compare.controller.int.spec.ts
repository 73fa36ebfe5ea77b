// GET /admin/v1/projections/{name}/compare as the api role serves it: real modules, real PostgreSQL.
import { caughtUpVersion } from '../../../../test/rebuilding.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { DEFINITIONS } from '../catalog/catalog.js';
import { projectionsOf } from '../definition.js';
import { READ_MODELS_STREAM } from '../lifecycle/read-models.aggregate.js';
import { ReadModelsDirectory } from '../lifecycle/read-models.directory.js';
import { createReadModelTables, MonthPartitions } from '../read-model-tables.js';
import { CompareModule } from './compare.module.js';

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: string;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, COMPARE_TIMEOUT_MS: '1000' },
    modules: [CompareModule],
  });
  const body = { domain: 'shop.example', timezone: 'Pacific/Auckland' };
  site = (await plane.call('POST', '/v1/sites', { body })).body.id;
  await createReadModelTables(postgres.pool, projectionsOf(DEFINITIONS.at(-1)!, 2));
  for (const version of [1, 2]) {
    await new MonthPartitions(postgres.pool, `sessions_v${version}`).ensure([Date.UTC(2026, 10, 1)]);
  }
  await caughtUpVersion(plane.app.get(EventStore), 2);
  await settle();
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});
beforeEach(() =>
  postgres.pool.query('TRUNCATE sessions_v1, sessions_v2, traffic_v1, traffic_v2, checkpoints'),
);

const settle = () => plane.app.get(ReadModelsDirectory).settle(2_000);
const compare = (parameters = '', name = 'sessions') =>
  plane.call('GET', `/admin/v1/projections/${name}/compare${parameters}`);

interface GivenSession {
  readonly version: number;
  readonly session: number;
  readonly site?: string;
  readonly at?: string;
  readonly columns?: Readonly<Record<string, unknown>>;
}

async function insert(sessions: readonly GivenSession[]): Promise<void> {
  for (const { version, session, site: of = site, at = '2026-11-10T12:00:00Z', columns = {} } of sessions) {
    const row = {
      ...{ site: of, started_at: at, session, partition: 0, visitor: session, ended_at: at },
      ...{
        bot: false,
        bounced: true,
        pageviews: 1,
        events: 1,
        event_offsets: [0],
        event_pages: ['/'],
        ...columns,
      },
    };
    await postgres.pool.query(
      `INSERT INTO sessions_v${version} (${Object.keys(row).join(', ')})
       VALUES (${Object.keys(row)
         .map((_, index) => `$${index + 1}`)
         .join(', ')})`,
      Object.values(row),
    );
  }
}

const inBoth = (session: Omit<GivenSession, 'version'>): GivenSession[] =>
  [1, 2].map((version) => ({ ...session, version }));

const NOTHING = { a: 0, b: 0, difference: 0 };

describe('an answer', () => {
  it('says that nothing differs where nothing does', async () => {
    await insert([...inBoth({ session: 1 }), ...inBoth({ session: 2, columns: { bot: true } })]);
    const { status, body } = await compare();
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ a: 1, b: 2, sites: null, tolerance: '0', within: true, positions_differ: false, days: 'site' },
      ...{ columns_not_compared: [], differences_total: 0, differences: [], next_cursor: null },
      totals: [
        ...['visitors', 'visits', 'pageviews', 'events', 'bounces'].map((metric) => ({
          metric,
          a: 1,
          b: 1,
          difference: 0,
        })),
        { metric: 'visit_duration_s', ...NOTHING },
        ...['bot_visits', 'bot_pageviews', 'bot_events'].map((metric) => ({
          metric,
          a: 1,
          b: 1,
          difference: 0,
        })),
        { metric: 'sessions_changed', ...NOTHING },
      ],
    });
  });

  it('names sessions that are in one version only, or differ in a column that no sum shows', async () => {
    await insert([
      ...inBoth({ session: 1 }),
      { version: 1, session: 2 },
      { version: 2, session: 3 },
      { version: 1, session: 4, columns: { country: 'DE' } },
      { version: 2, session: 4, columns: { country: null } },
      { version: 1, session: 5, columns: { carry: Buffer.from('a') } },
      { version: 2, session: 5, columns: { carry: Buffer.from('b') } },
      { version: 1, session: 6, columns: { event_props: '[{"plan":"pro"}]' } },
      { version: 2, session: 6, columns: { event_props: '[{"plan":"free"}]' } },
    ]);
    const { body } = await compare();
    // Noon in Greenwich is past midnight in Auckland.
    expect(body.differences).toEqual([
      { site, date: '2026-11-11', metric: 'sessions_changed', a: 0, b: 5, difference: 5 },
    ]);
    expect(body.within).toBe(false);
    const reversed = await compare('?a=2&b=1');
    expect(reversed.body).toMatchObject({ a: 2, b: 1, differences: body.differences });
  });

  it('counts visitors as answers do: by the ids of all their events but engagement, once over all days', async () => {
    const columns = {
      visitor: 1,
      event_offsets: [0, 1, 2],
      event_pages: ['/', '/', '/'],
      event_names: ['pageview', 'signup', 'engagement'],
      event_visitors: [1, 2, 3],
    };
    await insert([
      { version: 2, session: 1, columns },
      { version: 2, session: 2, at: '2026-11-12T12:00:00Z', columns: { visitor: 2 } },
    ]);
    const { body } = await compare();
    const visitors = ({ metric }: { metric: string }) => metric === 'visitors';
    expect(body.totals.find(visitors).b).toBe(2);
    expect(body.differences.filter(visitors).map((one: { b: number }) => one.b)).toEqual([2, 1]);
  });

  it('keeps to site and days, both ends included, site-local', async () => {
    const days = [
      '2026-11-09T10:59:59Z',
      '2026-11-09T11:00:00Z',
      '2026-11-11T10:59:59Z',
      '2026-11-11T11:00:00Z',
    ];
    await insert([
      ...days.map((at, session) => ({ version: 2, session, at })),
      { version: 2, session: 9, site: 'of nobody', at: '2026-11-10T00:00:00Z' },
    ]);
    const visits = async (parameters: string) => {
      const { body } = await compare(parameters);
      return body.totals.find(({ metric }: { metric: string }) => metric === 'visits').b;
    };
    expect(await visits('')).toBe(5);
    expect(await visits('?from=2026-11-10&to=2026-11-11')).toBe(3);
    expect(await visits('?from=2026-11-10&to=2026-11-11&site=shop.example')).toBe(2);
    expect(await visits(`?from=2026-11-12&site=${site}`)).toBe(1);
    expect(await visits('?to=2026-11-09')).toBe(1);
    expect(await visits('?site=of%20nobody')).toBe(1);
  });

  it('leaves out what is within the tolerance, an amount or a share', async () => {
    // a: 4 visits, b: 3; one of four sessions changed.
    await insert([1, 2, 3].flatMap((session) => inBoth({ session })));
    await insert([{ version: 1, session: 4 }]);
    const metricsOf = async (tolerance: string) => {
      const { body } = await compare(`?tolerance=${encodeURIComponent(tolerance)}`);
      expect(body).toMatchObject({ tolerance, within: body.differences.length === 0 });
      return body.differences.map(({ metric }: { metric: string }) => metric);
    };
    const all = ['bounces', 'events', 'pageviews', 'sessions_changed', 'visitors', 'visits'];
    expect(await metricsOf('0')).toEqual(all);
    expect(await metricsOf('0.999')).toEqual(all);
    expect(await metricsOf('1')).toEqual([]);
    expect(await metricsOf('24.9%')).toEqual(all);
    expect(await metricsOf('25%')).toEqual([]);
  });

  it('gives the largest first, whatever its sign, page by page without repeats', async () => {
    await insert([
      ...[1, 2, 3].map((session) => ({ version: 1, session, columns: { bot: true, pageviews: 7 } })),
      ...[4, 5].map((session) => ({ version: 2, session, site: 'B', columns: { bot: true } })),
      ...[6, 7].map((session) => ({ version: 2, session, site: 'a', columns: { bot: true } })),
    ]);
    const all = (await compare()).body.differences as { site: string; metric: string; difference: number }[];
    expect(all.slice(0, 4).map(({ metric, difference }) => [metric, difference])).toEqual([
      ['bot_pageviews', -21],
      ['bot_events', -3],
      ['bot_visits', -3],
      ['sessions_changed', 3],
    ]);
    expect(all.slice(4).map((one) => one.site)).toEqual([...Array(4).fill('B'), ...Array(4).fill('a')]);
    const pages = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await compare(`?limit=5${cursor && `&cursor=${cursor}`}`);
      expect(body.differences_total).toBe(all.length);
      pages.push(body.differences);
      cursor = body.next_cursor;
    }
    expect(pages.map((page) => page.length)).toEqual([5, 5, 2]);
    expect(pages.flat()).toEqual(all);
    expect((await compare('?limit=12')).body.next_cursor).toBeNull();
  });

  it('says that one version has folded more of the log', async () => {
    const at = (version: number, partition: number, position: string | null) =>
      postgres.pool.query(
        `INSERT INTO checkpoints (projection, version, partition, position) VALUES ('sessions', $1, $2, $3)
         ON CONFLICT (projection, version, partition) DO UPDATE SET position = $3`,
        [version, partition, position],
      );
    const differ = async () => (await compare()).body.positions_differ;
    for (const version of [1, 2]) await at(version, 0, '17');
    expect(await differ()).toBe(false);
    await at(1, 1, '5');
    expect(await differ()).toBe(true);
    await at(2, 1, '4');
    expect(await differ()).toBe(true);
    await at(2, 1, '5');
    expect(await differ()).toBe(false);
  });

  it('counts what counters declare by day of UTC, and rows of which only the sketch differs', async () => {
    const row = (version: number, values: string) =>
      postgres.pool.query(
        `INSERT INTO traffic_v${version} VALUES ('${site}', ${values.replace('…', '5, 6, 1, 1, 0, 0, 0')})`,
      );
    await row(1, `'2026-11-10T23:00:00Z', false, 0, …, 9000, '\\x01'`);
    await row(2, `'2026-11-10T23:00:00Z', false, 0, …, 8000, '\\x01'`);
    await row(1, `'2026-11-10T22:00:00Z', true, 0, …, 0, '\\x01'`);
    await row(2, `'2026-11-10T22:00:00Z', true, 0, …, 0, '\\x02'`);
    await row(2, `'2026-11-11T00:00:00Z', true, 1, …, 0, '\\x01'`);
    const { body } = await compare('?to=2026-11-10', 'traffic');
    expect(body.days).toBe('utc');
    expect(body.differences).toEqual([
      { site, date: '2026-11-10', metric: 'duration_active_ms', a: 9000, b: 8000, difference: -1000 },
      { site, date: '2026-11-10', metric: 'rows_changed', a: 0, b: 2, difference: 2 },
    ]);
    const next = await compare('?from=2026-11-11', 'traffic');
    expect(next.body.differences[0]).toMatchObject({ metric: 'bot_events', a: 0, b: 6 });
  });

  it('is empty where both versions are', async () => {
    const { status, body } = await compare('', 'waiting');
    expect([status, body.totals]).toEqual([
      200,
      [
        { metric: 'rows', ...NOTHING },
        { metric: 'rows_changed', ...NOTHING },
      ],
    ]);
  });
});

describe('refuses', () => {
  it('who is not the operator', async () => {
    const path = '/admin/v1/projections/sessions/compare';
    expect((await plane.call('GET', path, { key: null })).status).toBe(401);
    const body = { name: 'k', scopes: ['stats:read', 'sites:admin'] };
    const { key } = (await plane.call('POST', '/v1/keys', { body })).body;
    expect((await plane.call('GET', path, { key })).status).toBe(403);
  });

  it.each([
    ['?a=0', 'a'],
    ['?a=one', 'a'],
    ['?b=1.5', 'b'],
    ['?b=3000000000', 'b'],
    ['?from=2026-02-30', 'from'],
    ['?from=yesterday', 'from'],
    ['?to=0001-01-01', 'to'],
    ['?from=2026-11-02&to=2026-11-01', 'to'],
    ['?tolerance=-1', 'tolerance'],
    ['?tolerance=few', 'tolerance'],
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?cursor=abc', 'cursor'],
    ['?site=', 'site'],
    ['?site=a&site=b', 'site'],
    ['?unknown=1', 'unknown'],
    ['?a=2&b=2', 'b'],
  ])('%s', async (parameters, path) => {
    const { status, body } = await compare(parameters);
    expect([status, body.errors.map((error: { path: string }) => error.path)]).toEqual([400, [path]]);
  });

  it('what is not there', async () => {
    expect((await compare('', 'visits')).status).toBe(404);
    expect((await compare('?b=3')).status).toBe(404);
    expect((await compare('?site=nobody.example')).status).toBe(404);
  });

  it('what takes longer than allowed, saying what to narrow', async () => {
    const blocker = await postgres.pool.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE sessions_v2 IN ACCESS EXCLUSIVE MODE');
      const { status, body } = await compare('?to=2026-11-10');
      expect([status, body.type, body.errors]).toEqual([
        422,
        expect.stringContaining('comparison-too-costly'),
        [{ path: 'site', message: 'would narrow the comparison' }],
      ]);
      expect(body.detail).toMatch(/site, or fewer days/);
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
  });

  it('a second one while the first runs', async () => {
    const blocker = await postgres.pool.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE sessions_v2 IN ACCESS EXCLUSIVE MODE');
      const answers = await Promise.all([compare(), compare()]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([422, 503]));
      expect(answers.find(({ status }) => status === 503)!.headers).toMatchObject({ 'retry-after': '10' });
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    expect((await compare()).status).toBe(200);
  });

  it('versions that are being built, failed or were retired', async () => {
    const eventStore = plane.app.get(EventStore);
    const rebuild = 'another';
    const requested = {
      ...{ rebuild, projection: 'sessions', version: 3, definition: 1, source: 'log' },
      scope: { sites: null, from: null, to: null },
    };
    const say = async (type: string, data: Record<string, unknown>) => {
      await eventStore.append(READ_MODELS_STREAM, [{ type, data }], 'any');
      await settle();
    };
    await say('RebuildRequested', requested);
    expect((await compare()).status).toBe(409);
    expect((await compare('?b=2')).status).toBe(200);
    await say('RebuildFailed', { rebuild, error: 'disk full' });
    expect((await compare('?b=3')).status).toBe(409);
    await say('RebuildCancelled', { rebuild });
    expect((await compare('?b=3')).status).toBe(404);
    expect((await compare()).body.b).toBe(2);
  });
});
