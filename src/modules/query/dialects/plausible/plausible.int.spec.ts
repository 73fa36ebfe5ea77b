// Plausible's endpoints as the api role serves them: real modules, real PostgreSQL, whole bodies.
import { createReadModels, type GivenSession, insertSessions } from '../../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';
import { QueryModule } from '../../query.module.js';

const DAY = '2026-11-10';
/** Where it is an hour later than in UTC. */
const at = (localTime: string, day = DAY) => Date.parse(`${day}T${localTime}+01:00`);
const MINUTE_MS = 60_000;
/** More than the tests ask with one key. */
const REQUESTS_MAX = 200;

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: string;
let reader: string;

const createSite = async (domain: string, about: object = {}) =>
  (await plane.call('POST', '/v1/sites', { body: { domain, timezone: 'Europe/Berlin', ...about } })).body
    .id as string;
const keyFor = async (of: string, scopes: readonly string[]) =>
  (await plane.call('POST', `/v1/sites/${of}/keys`, { body: { name: 'k', scopes } })).body.key as string;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, KEY_REQUESTS_PER_MINUTE_MAX: String(REQUESTS_MAX) },
    modules: [QueryModule],
  });
  // In place of those that the module made.
  await createReadModels(postgres.pool);
  site = await createSite('shop.example', { trackingIds: ['old-shop.example'] });
  reader = await keyFor(site, ['stats:read']);
  const google = {
    source: 'Google',
    country: 'DE',
    utm_medium: 'cpc',
    browser: 'Firefox',
    browser_version: '130',
  };
  const sessions: readonly Omit<GivenSession, 'site'>[] = [
    { visitor: 4n, events: [{ at: at('12:00:00', '2026-11-09') }], about: google },
    {
      visitor: 1n,
      events: [
        { at: at('09:30:00'), page: '/' },
        { at: at('09:31:00'), page: '/blog/a' },
      ],
      about: google,
    },
    {
      visitor: 2n,
      events: [{ at: at('10:30:00'), page: '/blog/b|c' }],
      about: { source: 'Twitter', country: 'FR', browser: 'Safari', browser_version: '26' },
    },
    {
      visitor: 3n,
      events: [
        { at: at('10:40:00'), page: '/' },
        { at: at('10:41:00'), page: '/' },
      ],
    },
    { visitor: 5n, bot: true, events: [{ at: at('10:50:00') }], about: google },
  ];
  await insertSessions(
    postgres.pool,
    sessions.map((session) => ({ ...session, site })),
  );
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

const v1 = (endpoint: string, parameters: Record<string, string>, key: string | null = reader) => {
  const query = new URLSearchParams({ site_id: 'shop.example', ...parameters });
  return plane.call('GET', `/api/v1/stats/${endpoint}?${query.toString()}`, { key });
};
const v2 = (body: object, key: string | null = reader) =>
  plane.call('POST', '/api/v2/query', { key, body: { site_id: 'shop.example', ...body } });

const ALL = 'visitors,visits,pageviews,views_per_visit,bounce_rate,visit_duration,events';
const ON_DAY = { period: 'day', date: DAY };

describe('GET /api/v1/stats/aggregate', () => {
  it('answers every metric', async () => {
    const { status, body } = await v1('aggregate', { ...ON_DAY, metrics: ALL });
    expect([status, body]).toEqual([
      200,
      {
        results: {
          visitors: { value: 3 },
          visits: { value: 3 },
          pageviews: { value: 5 },
          views_per_visit: { value: 1.67 },
          bounce_rate: { value: 33 },
          visit_duration: { value: 40 },
          events: { value: 5 },
        },
      },
    ]);
  });

  it('compares with the period before', async () => {
    const { body } = await v1('aggregate', {
      ...ON_DAY,
      metrics: 'visitors,bounce_rate,visit_duration',
      compare: 'previous_period',
    });
    expect(body).toEqual({
      results: {
        visitors: { value: 3, change: 200, comparison_value: 1 },
        bounce_rate: { value: 33, change: -67, comparison_value: 100 },
        visit_duration: { value: 40, change: 100, comparison_value: 0 },
      },
    });
  });

  it.each([
    ['visit:country==DE|FR', 2],
    ['visit:country!=DE', 2],
    ['event:page==/blog/**', 2],
    ['event:page!=/blog/*', 2],
    [String.raw`event:page==/blog/b\|c`, 1],
    [String.raw`event:page==**b\|c|/blog/a`, 2],
    ['event:page==/blog/**;visit:source==Google', 1],
    ['visit:source==Direct / None', 1],
    ['[["contains","visit:source",["oo","itt"]]]', 2],
  ])('filters by %s', async (filters, visitors) => {
    const { body } = await v1('aggregate', { ...ON_DAY, filters });
    expect(body).toEqual({ results: { visitors: { value: visitors } } });
  });
});

describe('GET /api/v1/stats/timeseries', () => {
  it('has all hours of a day of the site', async () => {
    const { status, body } = await v1('timeseries', {
      ...ON_DAY,
      metrics: 'visitors,visit_duration,bounce_rate,views_per_visit',
    });
    const numbers: Record<string, readonly number[]> = { '09': [1, 60, 0, 2], '10': [2, 30, 50, 1.5] };
    const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));
    expect([status, body]).toEqual([
      200,
      {
        results: hours.map((hour) => {
          const [visitors, visit_duration, bounce_rate, views_per_visit] = numbers[hour] ?? [0, null, 0, 0];
          return { date: `${DAY} ${hour}:00:00`, visitors, visit_duration, bounce_rate, views_per_visit };
        }),
      },
    ]);
  });

  it('has all days before a date', async () => {
    const { body } = await v1('timeseries', {
      period: '7d',
      date: '2026-11-12',
      metrics: 'visitors,pageviews',
    });
    expect(body).toEqual({
      results: ['05', '06', '07', '08', '09', '10', '11'].map((day) => ({
        date: `2026-11-${day}`,
        visitors: { '09': 1, '10': 3 }[day] ?? 0,
        pageviews: { '09': 1, '10': 5 }[day] ?? 0,
      })),
    });
  });

  it('has all months up to that of a date', async () => {
    const { body } = await v1('timeseries', { period: '6mo', date: '2026-12-24' });
    expect(body).toEqual({
      results: ['07', '08', '09', '10', '11', '12'].map((month) => ({
        date: `2026-${month}-01`,
        visitors: month === '11' ? 4 : 0,
      })),
    });
  });
});

describe('GET /api/v1/stats/breakdown', () => {
  it('has a row for each value, the largest first', async () => {
    const { status, body } = await v1('breakdown', {
      period: 'custom',
      date: '2026-11-09,2026-11-10',
      property: 'visit:source',
      metrics: 'visitors,bounce_rate',
    });
    expect([status, body]).toEqual([
      200,
      {
        results: [
          { source: 'Google', visitors: 2, bounce_rate: 50 },
          { source: 'Direct / None', visitors: 1, bounce_rate: 0 },
          { source: 'Twitter', visitors: 1, bounce_rate: 100 },
        ],
      },
    ]);
  });

  it('leaves out where a country or a campaign is missing', async () => {
    const countries = await v1('breakdown', { ...ON_DAY, property: 'visit:country' });
    expect(countries.body).toEqual({
      results: [
        { country: 'DE', visitors: 1 },
        { country: 'FR', visitors: 1 },
      ],
    });
    const media = await v1('breakdown', { ...ON_DAY, property: 'visit:utm_medium', metrics: 'visits' });
    expect(media.body).toEqual({ results: [{ utm_medium: 'cpc', visits: 1 }] });
  });

  it('names the browser beside its version', async () => {
    const { body } = await v1('breakdown', { ...ON_DAY, property: 'visit:browser_version' });
    expect(body).toEqual({
      results: [
        { browser: '(not set)', browser_version: '(not set)', visitors: 1 },
        { browser: 'Firefox', browser_version: '130', visitors: 1 },
        { browser: 'Safari', browser_version: '26', visitors: 1 },
      ],
    });
  });

  it('is read page by page', async () => {
    const page = async (number: string) =>
      (await v1('breakdown', { ...ON_DAY, property: 'event:page', limit: '2', page: number })).body;
    expect(await page('1')).toEqual({
      results: [
        { page: '/', visitors: 2 },
        { page: '/blog/a', visitors: 1 },
      ],
    });
    expect(await page('2')).toEqual({ results: [{ page: '/blog/b|c', visitors: 1 }] });
    expect(await page('3')).toEqual({ results: [] });
  });
});

describe('goals', () => {
  const GOALS_DAY = '2026-11-15';
  const on = { period: 'day', date: GOALS_DAY };
  beforeAll(async () => {
    for (const body of [
      { eventName: 'Order', currency: 'EUR' },
      { eventName: 'Gift', currency: 'USD' },
      { eventName: 'Signup' },
      { pagePath: '/pri*' },
    ]) {
      await plane.call('POST', `/v1/sites/${site}/goals`, { body });
    }
    const time = (localTime: string) => at(localTime, GOALS_DAY);
    await insertSessions(postgres.pool, [
      {
        site,
        visitor: 10n,
        about: { source: 'Google' },
        events: [
          { at: time('09:00:00'), page: '/' },
          { at: time('09:01:00'), page: '/', name: 'engagement', engagementMs: 30_000, scrollDepth: 80 },
          {
            at: time('09:05:00'),
            page: '/',
            name: 'Order',
            props: { plan: 'pro' },
            revenue: ['12.50', 'EUR'],
          },
        ],
      },
      {
        site,
        visitor: 11n,
        about: { source: 'Google' },
        events: [
          { at: time('10:00:00'), page: '/' },
          { at: time('10:01:00'), page: '/', name: 'engagement', engagementMs: 10_000, scrollDepth: 40 },
        ],
      },
      {
        site,
        visitor: 12n,
        about: { source: 'Twitter' },
        events: [
          { at: time('11:00:00'), page: '/pricing' },
          { at: time('11:01:00'), page: '/pricing', name: 'Signup', props: { plan: 'free' } },
        ],
      },
    ]);
  });

  it('have conversion rates of all visitors, or of those of each row', async () => {
    const aggregated = await v1('aggregate', {
      ...on,
      metrics: 'visitors,conversion_rate',
      filters: 'event:goal==Order|Visit /pri*',
    });
    expect(aggregated.body).toEqual({
      results: { visitors: { value: 2 }, conversion_rate: { value: 66.67 } },
    });
    const { body: byHour } = await v1('timeseries', {
      ...on,
      metrics: 'visitors,conversion_rate',
      filters: 'event:goal==Order',
    });
    expect(byHour.results.slice(8, 11)).toEqual([
      { date: `${GOALS_DAY} 08:00:00`, visitors: 0, conversion_rate: 0 },
      { date: `${GOALS_DAY} 09:00:00`, visitors: 1, conversion_rate: 100 },
      { date: `${GOALS_DAY} 10:00:00`, visitors: 0, conversion_rate: 0 },
    ]);
    const metrics = 'visitors,events,conversion_rate';
    const byGoal = await v1('breakdown', { ...on, metrics, property: 'event:goal' });
    expect(byGoal.body).toEqual({
      results: ['Order', 'Signup', 'Visit /pri*'].map((name) => ({
        goal: name,
        visitors: 1,
        events: 1,
        conversion_rate: 33.33,
      })),
    });
    const filters = 'event:goal==Order';
    const bySource = await v1('breakdown', { ...on, metrics, property: 'visit:source', filters });
    expect(bySource.body).toEqual({
      results: [{ source: 'Google', visitors: 1, events: 1, conversion_rate: 50 }],
    });
    const byPlan = await v1('breakdown', { ...on, metrics, property: 'event:props:plan', filters });
    expect(byPlan.body).toEqual({
      results: [{ plan: 'pro', visitors: 1, events: 1, conversion_rate: 33.33 }],
    });
  });

  it('must be known', async () => {
    const { status, body } = await v1('aggregate', { ...on, filters: 'event:goal==Register' });
    expect([status, body]).toEqual([400, { error: expect.stringContaining('Register') }]);
  });

  it('earn amounts in print', async () => {
    const { status, body } = await v2({
      metrics: ['visitors', 'total_revenue'],
      date_range: [GOALS_DAY, GOALS_DAY],
      dimensions: ['event:goal'],
      order_by: [['event:goal', 'asc']],
    });
    expect([status, body.results, body.meta]).toEqual([
      200,
      [
        {
          dimensions: ['Order'],
          metrics: [1, { value: 12.5, currency: 'EUR', short: '€12.5', long: '€12.50' }],
        },
        { dimensions: ['Signup'], metrics: [1, null] },
        { dimensions: ['Visit /pri*'], metrics: [1, null] },
      ],
      {},
    ]);
    const { body: gifts } = await v2({
      metrics: ['total_revenue', 'average_revenue'],
      date_range: [GOALS_DAY, GOALS_DAY],
      filters: [['is', 'event:goal', ['Gift']]],
    });
    const nothing = { value: 0, currency: 'USD', short: '$0.0', long: '$0.00' };
    expect(gifts.results).toEqual([{ dimensions: [], metrics: [nothing, nothing] }]);
  });

  it('stand beside how long and how far pages were read', async () => {
    const { body } = await v1('aggregate', { ...on, metrics: 'time_on_page', filters: 'event:page==/' });
    expect(body).toEqual({ results: { time_on_page: { value: 20 } } });
    const pages = await v2({
      metrics: ['scroll_depth', 'time_on_page', 'percentage'],
      date_range: [GOALS_DAY, GOALS_DAY],
      dimensions: ['event:page'],
      filters: [['has_not_done', ['is', 'event:name', ['Order']]]],
    });
    expect(pages.body.results).toEqual([
      { dimensions: ['/'], metrics: [40, 10, 50] },
      { dimensions: ['/pricing'], metrics: [null, null, 50] },
    ]);
  });
});

it('GET /api/v1/stats/realtime/visitors counts those of the last five minutes', async () => {
  const live = await createSite('live.example');
  const minutesAgo = (visitor: bigint, minutes: number, bot = false): GivenSession => ({
    site: live,
    visitor,
    bot,
    events: [{ at: Date.now() - minutes * MINUTE_MS }],
  });
  await insertSessions(postgres.pool, [
    minutesAgo(1n, 1),
    minutesAgo(1n, 2),
    minutesAgo(2n, 4),
    minutesAgo(3n, 6),
    minutesAgo(4n, 1, true),
  ]);
  const { status, body, headers } = await v1('realtime/visitors', { site_id: 'live.example' }, OPERATOR_KEY);
  expect([status, body]).toEqual([200, 2]);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
});

describe('POST /api/v2/query', () => {
  it('answers rows with what was to be included, and the query in full', async () => {
    const { status, body } = await v2({
      metrics: ['visitors', 'pageviews'],
      date_range: [DAY, DAY],
      dimensions: ['time'],
      include: { imports: true, time_labels: true, total_rows: true },
      pagination: { limit: 1 },
    });
    expect([status, body]).toEqual([
      200,
      {
        results: [{ dimensions: [`${DAY} 09:00:00`], metrics: [1, 2] }],
        meta: {
          imports_included: false,
          imports_skip_reason: 'no_imported_data',
          time_labels: Array.from(
            { length: 24 },
            (_, hour) => `${DAY} ${String(hour).padStart(2, '0')}:00:00`,
          ),
          total_rows: 2,
        },
        query: {
          site_id: 'shop.example',
          metrics: ['visitors', 'pageviews'],
          date_range: [`${DAY}T00:00:00+01:00`, `${DAY}T23:59:59+01:00`],
          filters: [],
          dimensions: ['time:hour'],
          order_by: [
            ['time:hour', 'asc'],
            ['visitors', 'desc'],
          ],
          include: { imports: true, time_labels: true, total_rows: true },
          pagination: { offset: 0, limit: 1 },
        },
      },
    ]);
  });

  it('counts the last second of two date-times, and answers its own echo alike', async () => {
    const asked = {
      metrics: ['visitors'],
      date_range: [`${DAY}T09:00:00+01:00`, `${DAY}T10:40:00+01:00`],
      dimensions: ['visit:source'],
      filters: [['not', ['is', 'visit:country', ['AT'], { case_sensitive: false }]]],
    };
    const { body } = await v2(asked);
    expect(body).toEqual({
      results: ['Direct / None', 'Google', 'Twitter'].map((source) => ({
        dimensions: [source],
        metrics: [1],
      })),
      meta: {},
      query: {
        site_id: 'shop.example',
        ...asked,
        order_by: [['visitors', 'desc']],
        include: {},
        pagination: { offset: 0, limit: 10_000 },
      },
    });
    expect((await v2(body.query)).body).toEqual(body);
  });

  describe('compares', () => {
    const days = (from: string, to: string) => ({ date_range: [from, to], metrics: ['visitors'] });
    const compared = (comparisons: object) => ({ include: { comparisons } });

    it('a whole range with the one before', async () => {
      const include = { comparisons: { mode: 'previous_period', match_day_of_week: false } };
      const { body } = await v2({ ...days(DAY, DAY), include });
      expect([body.results, body.meta, body.query.include]).toEqual([
        [
          {
            dimensions: [],
            metrics: [3],
            comparison: { dimensions: [], metrics: [1], change: [200] },
          },
        ],
        {},
        include,
      ]);
    });

    it('days by their place in the range, under their own dates', async () => {
      const { body } = await v2({
        ...days('2026-11-09', DAY),
        ...compared({ mode: 'custom', date_range: ['2026-11-10', '2026-11-10'] }),
        dimensions: ['time:day'],
      });
      expect([body.results, body.meta]).toEqual([
        [
          {
            dimensions: ['2026-11-09'],
            metrics: [1],
            comparison: { dimensions: ['2026-11-10'], metrics: [3], change: [-67] },
          },
          { dimensions: [DAY], metrics: [3], comparison: null },
        ],
        {},
      ]);
    });

    it('rows with the same row, which need not be there', async () => {
      const { body } = await v2({
        ...days(DAY, DAY),
        ...compared({ mode: 'previous_period' }),
        dimensions: ['visit:source'],
      });
      expect(body.results.map(({ comparison }: { comparison: unknown }) => comparison)).toEqual([
        { dimensions: ['Direct / None'], metrics: [0], change: [100] },
        { dimensions: ['Google'], metrics: [1], change: [0] },
        { dimensions: ['Twitter'], metrics: [0], change: [100] },
      ]);
    });

    it.each([
      [{ mode: 'fortnight' }, 'include.comparisons.mode'],
      [{ mode: 'custom' }, 'include.comparisons.date_range'],
      [{ mode: 'custom', date_range: ['2026-11-02', '2026-11-01'] }, 'include.compare'],
    ])('nothing with %j', async (comparisons, told) => {
      const { status, body } = await v2({ ...days(DAY, DAY), ...compared(comparisons) });
      expect([status, body]).toEqual([400, { error: expect.stringContaining(told) }]);
    });
  });

  it('filters by a segment of the site', async () => {
    const segment = await plane.call('POST', `/v1/sites/${site}/segments`, {
      body: { name: 'Franks', filters: [['is', 'visit:country', ['FR']]] },
    });
    const filters = [['is', 'segment', [segment.body.id]]];
    const { body } = await v2({ metrics: ['visits'], date_range: [DAY, DAY], filters });
    expect(body.results).toEqual([{ dimensions: [], metrics: [1] }]);
    const unknown = await v2({
      metrics: ['visits'],
      date_range: [DAY, DAY],
      filters: [['is', 'segment', [7]]],
    });
    expect([unknown.status, unknown.body]).toEqual([400, { error: expect.stringContaining('filters[0]') }]);
  });

  it('ends a relative range with the present hour when asked to', async () => {
    const { status, body } = await v2({
      metrics: ['visits'],
      date_range: 'day',
      dimensions: ['time:hour'],
      include: { trim_relative_date_range: true, time_labels: true },
    });
    expect([status, body.query.include]).toEqual([
      200,
      { time_labels: true, trim_relative_date_range: true },
    ]);
    expect(body.meta.time_labels.length).toBeLessThanOrEqual(24);
  });

  it('knows the site by domain, id and tracking id', async () => {
    const names = ['www.Shop.example', site, 'old-shop.example'];
    const answers = await Promise.all(
      names.map((site_id) => v2({ site_id, metrics: ['visits'], date_range: [DAY, DAY] })),
    );
    expect(answers.map(({ body }) => [body.results, body.query.site_id])).toEqual(
      names.map(() => [[{ dimensions: [], metrics: [3] }], 'shop.example']),
    );
  });
});

describe('errors', () => {
  const QUERY = { metrics: ['visitors'], date_range: '7d' };

  it('tell a bad key, a missing scope, a foreign and an unknown site by nothing', async () => {
    const foreign = await createSite('foreign.example');
    const ingest = await keyFor(site, ['ingest']);
    const answers = [
      await v2(QUERY, null),
      await v2(QUERY, 'nobody'),
      await v2(QUERY, ingest),
      await v2({ ...QUERY, site_id: 'foreign.example' }),
      await v2({ ...QUERY, site_id: foreign }),
      await v2({ ...QUERY, site_id: 'nowhere.example' }),
      await v1('aggregate', {}, null),
      await v1('breakdown', {}, 'nobody'),
      await v1('realtime/visitors', { site_id: 'foreign.example' }),
      await v1('timeseries', { site_id: 'nowhere.example', period: 'nonsense' }),
    ];
    for (const { status, body, headers } of answers) {
      expect([status, body]).toEqual([401, answers[0]!.body]);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
    }
    expect(answers[0]!.body).toEqual({ error: expect.stringContaining('API key') });
  });

  it.each<[string, () => Promise<{ status: number; body: unknown }>, RegExp]>([
    ['no site', () => v2({ ...QUERY, site_id: undefined }), /^site_id: /],
    ['no site in v1', () => plane.call('GET', '/api/v1/stats/aggregate', { key: reader }), /^site_id: /],
    [
      'two sites',
      () => plane.call('GET', '/api/v1/stats/aggregate?site_id=a&site_id=b', { key: reader }),
      /^site_id: /,
    ],
    ['a metric twice', () => v2({ ...QUERY, metrics: ['visits', 'visits'] }), /^metrics: /],
    ['an unknown metric', () => v2({ ...QUERY, metrics: ['visitors', 'baa'] }), /^metrics\[1\]: /],
    ['no metric', () => v2({ date_range: '7d' }), /^metrics: /],
    ['an unknown dimension', () => v2({ ...QUERY, dimensions: ['badproperty'] }), /^dimensions\[0\]: /],
    ['an unknown range', () => v2({ ...QUERY, date_range: 'bad_period' }), /^date_range: /],
    ['a range backwards', () => v2({ ...QUERY, date_range: ['2026-02-01', '2026-01-01'] }), /^date_range: /],
    ['time in a filter', () => v2({ ...QUERY, filters: [['is', 'time', ['x']]] }), /^filters\[0\]/],
    [
      'an unknown operator',
      () => v2({ ...QUERY, filters: [['constructor', 'event:page', ['x']]] }),
      /^filters\[0\]/,
    ],
    ['an unknown key', () => v2({ ...QUERY, surprise: 1 }), /^surprise: /],
    ['an unknown inclusion', () => v2({ ...QUERY, include: { surprise: true } }), /^include\.surprise: /],
    ['too many rows', () => v2({ ...QUERY, pagination: { limit: 10_001 } }), /^pagination\.limit: /],
    [
      'ten years of hours',
      () => v2({ ...QUERY, date_range: ['2016-01-01', '2025-12-31'], dimensions: ['time:hour'] }),
      /narrow/,
    ],
    [
      'a malformed pattern',
      () => v2({ ...QUERY, filters: [['matches', 'event:page', ['(']]] }),
      /^filters\[0\]/,
    ],
    ['an unknown property', () => v1('breakdown', { property: 'visit:shoes' }), /^(filters|dimensions)\[0\]/],
    ['an unknown filter', () => v1('aggregate', { filters: 'badproperty==bar' }), /^filters\[0\]/],
    ['an unknown period', () => v1('aggregate', { period: 'fortnight' }), /^period: /],
    ['a NUL', () => v1('aggregate', { filters: 'visit:source==a\0b' }), /^filters\[0\]/],
    [
      'many patterns',
      () => v1('aggregate', { filters: `event:page==${'*|'.repeat(11)}*` }),
      /regular expressions/,
    ],
    ['deep filters', () => v1('aggregate', { filters: `${'["not",'.repeat(500)}1${']'.repeat(500)}` }), /./],
  ])('say what is wrong with %s', async (_name, ask, message) => {
    const { status, body } = await ask();
    expect([status, body]).toEqual([400, { error: expect.stringMatching(message) }]);
  });

  it('have their form also before a controller is reached', async () => {
    const send = async (payload: string, type = 'application/json') => {
      const response = await plane.app.inject({
        method: 'POST',
        url: '/api/v2/query',
        headers: { authorization: `Bearer ${reader}`, 'content-type': type },
        payload,
      });
      return [response.statusCode, Object.keys(response.json())];
    };
    expect(await send('{"site_id":')).toEqual([400, ['error']]);
    expect(await send('')).toEqual([400, ['error']]);
    expect(await send('null')).toEqual([400, ['error']]);
    expect(await send('['.repeat(100) + ']'.repeat(100))).toEqual([400, ['error']]);
    expect(await send(`"${'x'.repeat(1_048_576)}"`)).toEqual([413, ['error']]);
    expect(await send('site_id=shop.example', 'application/x-www-form-urlencoded')).toEqual([415, ['error']]);
  });

  it('say when a key asks too often', async () => {
    const hasty = await keyFor(site, ['stats:read']);
    const answers = await Promise.all(
      Array.from({ length: REQUESTS_MAX + 1 }, () => v1('aggregate', { site_id: 'nowhere.example' }, hasty)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.map(({ body }) => body)).toEqual([
      { error: expect.stringContaining(`More than ${REQUESTS_MAX} requests`) },
    ]);
    expect(Number(refused[0]!.headers['retry-after'])).toBeGreaterThan(0);
  });
});
