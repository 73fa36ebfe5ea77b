// The Data API as the api role serves it: real modules, real PostgreSQL, known sessions.
import {
  createReadModels,
  type GivenSession,
  insertSessions,
  setCheckpoints,
} from '../../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';
import { QueryModule } from '../../query.module.js';

const at = (text: string) => Date.parse(`${text}Z`);
const PROPERTY = '123456';
const NOVEMBER = [{ startDate: '2026-11-09', endDate: '2026-11-10' }];

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: string;
let reader: string;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY },
    modules: [QueryModule],
  });
  await createReadModels(postgres.pool);
  const now = new Date();
  await setCheckpoints(postgres.pool, '1', [now, now]);
  const created = await plane.call('POST', '/v1/sites', {
    body: { domain: 'shop.example', trackingIds: [PROPERTY], currency: 'EUR' },
  });
  site = created.body.id;
  reader = await keyFor(site, ['stats:read']);
  await insertSessions(postgres.pool, [...given(), ...shopping(), ...recent(Date.now())]);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

/** Two days, three visitors. */
function given(): readonly GivenSession[] {
  return [
    {
      site,
      visitor: 1n,
      events: [
        { at: at('2026-11-09T10:00:00'), page: '/' },
        { at: at('2026-11-09T10:00:30'), page: '/pricing' },
        { at: at('2026-11-09T10:01:00'), page: '/pricing', name: 'signup' },
      ],
      about: { source: 'Google', country: 'DE', device: 'Desktop', browser: 'Firefox' },
    },
    {
      site,
      visitor: 1n,
      events: [{ at: at('2026-11-10T10:00:00'), page: '/' }],
      about: { source: 'Google', country: 'DE', device: 'Desktop', browser: 'Firefox' },
    },
    {
      site,
      visitor: 2n,
      events: [
        { at: at('2026-11-10T11:00:00'), page: '/' },
        { at: at('2026-11-10T11:00:05'), page: '/blog' },
      ],
      about: { source: 'news.example', country: 'AT', device: 'Mobile', browser: 'Safari' },
    },
    {
      site,
      visitor: 3n,
      events: [{ at: at('2026-11-10T12:00:00'), page: '/blog' }],
      about: { country: 'AT', device: 'Mobile', browser: 'Safari' },
    },
  ];
}

/** One day of a shop: visitor 1 comes back, 21 buys and signs up, 22 leaves at once. */
function shopping(): readonly GivenSession[] {
  return [
    {
      site,
      visitor: 1n,
      events: [
        { at: at('2026-11-15T09:00:00'), page: '/', engagementMs: 0 },
        { at: at('2026-11-15T09:00:20'), page: '/', name: 'scrolled', interactive: false },
        { at: at('2026-11-15T09:00:25'), page: '/', name: 'engagement', engagementMs: 4_000 },
      ],
      about: { channel: 'Direct', language: 'de' },
    },
    {
      site,
      visitor: 21n,
      events: [
        { at: at('2026-11-15T10:00:00'), page: '/' },
        { at: at('2026-11-15T10:00:02'), page: '/', name: 'signup' },
        { at: at('2026-11-15T10:00:03'), page: '/', name: 'purchase', revenue: ['12.50', 'EUR'] },
        { at: at('2026-11-15T10:00:04'), page: '/', name: 'purchase', revenue: ['7.50', 'EUR'] },
      ],
      about: { channel: 'Organic Search', language: 'en-GB' },
    },
    {
      site,
      visitor: 22n,
      events: [{ at: at('2026-11-15T11:00:00'), page: '/' }],
      about: { channel: 'Organic Search', language: 'en-GB' },
    },
    {
      site,
      visitor: 23n,
      events: [{ at: at('2026-11-16T11:00:00'), page: '/', revenue: ['1', 'USD'] }],
      about: { channel: 'Organic Search' },
    },
  ];
}

const MINUTE_MS = 60_000;

/** Of today: one visitor two minutes ago, another eleven minutes ago, and one too long ago. */
const recent = (now: number): readonly GivenSession[] =>
  [2, 11, 40].map((minutesAgo, index) => ({
    site,
    visitor: BigInt(10 + index),
    events: [{ at: Math.floor(now / MINUTE_MS) * MINUTE_MS - minutesAgo * MINUTE_MS, page: '/' }],
    about: { country: 'FR', device: 'Tablet' },
  }));

const keyFor = async (of: string, scopes: readonly string[]) =>
  (await plane.call('POST', `/v1/sites/${of}/keys`, { body: { name: 'k', scopes } })).body.key as string;

const call = (method: string, body: unknown, options: { property?: string; key?: string | null } = {}) => {
  const { property = PROPERTY, key = reader } = options;
  return plane.call('POST', `/v1beta/properties/${property}:${method}`, { key, body });
};

const run = async (body: Record<string, unknown>) => {
  const answer = await call('runReport', { dateRanges: NOVEMBER, ...body });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
};

type Shown = readonly { dimensionValues: { value: string }[]; metricValues: { value: string }[] }[];
const shown = (rows: Shown) =>
  rows.map(({ dimensionValues, metricValues }) => [
    ...dimensionValues.map(({ value }) => value),
    ...metricValues.map(({ value }) => value),
  ]);

const names = (...list: readonly string[]) => list.map((name) => ({ name }));

describe('runReport', () => {
  it("answers in Google's form, with all rows counted whatever the limit", async () => {
    const answer = await call('runReport', {
      dateRanges: NOVEMBER,
      dimensions: names('pagePath'),
      metrics: names('screenPageViews', 'activeUsers'),
      limit: '1',
    });
    expect(answer.body).toEqual({
      dimensionHeaders: [{ name: 'pagePath' }],
      metricHeaders: [
        { name: 'screenPageViews', type: 'TYPE_INTEGER' },
        { name: 'activeUsers', type: 'TYPE_INTEGER' },
      ],
      rows: [{ dimensionValues: [{ value: '/' }], metricValues: [{ value: '3' }, { value: '2' }] }],
      rowCount: 3,
      metadata: { currencyCode: 'EUR', timeZone: 'UTC' },
      kind: 'analyticsData#runReport',
    });
  });

  it('pages through all rows once', async () => {
    const pages = [];
    for (const offset of ['0', '1', '2', '3']) {
      const { rows } = await run({
        dimensions: names('pagePath'),
        metrics: names('screenPageViews'),
        limit: '1',
        offset,
      });
      pages.push(shown(rows));
    }
    expect(pages).toEqual([[['/', '3']], [['/blog', '2']], [['/pricing', '1']], []]);
  });

  it('answers more rows than a page of a query has', async () => {
    const [rowCount, limit] = [10_050, 10_030];
    await postgres.pool.query(
      `INSERT INTO sessions_v1 (site, started_at, session, partition, visitor, ended_at, bot, bounced, pageviews, events,
          entry_page, event_offsets)
        SELECT $1, '2025-11-20T10:00:00Z', n, 0, 1000000 + n, '2025-11-20T10:00:00Z', false, true, 1, 1, '/' || n, '{0}'
        FROM generate_series(1, $2::int) AS n`,
      [site, rowCount],
    );
    const body = await run({
      dateRanges: [{ startDate: '2025-11-20', endDate: '2025-11-20' }],
      dimensions: names('landingPage'),
      metrics: names('sessions'),
      orderBys: [{ dimension: { dimensionName: 'landingPage' } }],
      limit: String(limit),
      offset: 5,
    });
    const pages = Array.from({ length: rowCount }, (_, n) => `/${n + 1}`).sort();
    expect(body.rowCount).toBe(rowCount);
    expect(shown(body.rows).map(([page]) => page)).toEqual(pages.slice(5, 5 + limit));
  });

  it('counts days, hours and months', async () => {
    const by = async (name: string) =>
      shown(
        (
          await run({
            dimensions: names(name),
            metrics: names('sessions'),
            orderBys: [{ dimension: { dimensionName: name } }],
          })
        ).rows,
      );
    expect(await by('date')).toEqual([
      ['20261109', '1'],
      ['20261110', '3'],
    ]);
    expect(await by('dateHour')).toEqual([
      ['2026110910', '1'],
      ['2026111010', '1'],
      ['2026111011', '1'],
      ['2026111012', '1'],
    ]);
    expect(await by('yearMonth')).toEqual([['202611', '4']]);
    expect(await by('dayOfWeekName')).toEqual([
      ['Monday', '1'],
      ['Tuesday', '3'],
    ]);
  });

  it('counts the same hour of several days as one, and whoever came in both once', async () => {
    const hours = await run({
      dimensions: names('hour'),
      metrics: names('sessions', 'activeUsers', 'screenPageViews', 'averageSessionDuration'),
    });
    expect(shown(hours.rows)).toEqual([
      ['10', '2', '1', '3', '30'],
      ['11', '1', '1', '2', '5'],
      ['12', '1', '1', '1', '0'],
    ]);
    const both = await run({
      dimensions: names('dayOfWeek', 'hour', 'month'),
      metrics: names('activeUsers'),
    });
    expect(shown(both.rows)).toEqual([
      ['1', '10', '11', '1'],
      ['2', '10', '11', '1'],
      ['2', '11', '11', '1'],
      ['2', '12', '11', '1'],
    ]);
  });

  it('filters by day, hour and weekday, shown or not', async () => {
    const by = async (fieldName: string, filter: object) => {
      const body = await run({
        dimensions: names('date', 'pagePath'),
        metrics: names('screenPageViews'),
        dimensionFilter: { filter: { fieldName, ...filter } },
      });
      return shown(body.rows);
    };
    const monday = [
      ['20261109', '/', '1'],
      ['20261109', '/pricing', '1'],
    ];
    expect(await by('date', { inListFilter: { values: ['20261109', '20261201'] } })).toEqual(monday);
    expect(await by('dayOfWeekName', { stringFilter: { matchType: 'BEGINS_WITH', value: 'mon' } })).toEqual(
      monday,
    );
    expect(await by('dayOfWeek', { stringFilter: { value: '1' } })).toEqual(monday);
    expect(await by('hour', { stringFilter: { value: '11' } })).toEqual([
      ['20261110', '/', '1'],
      ['20261110', '/blog', '1'],
    ]);
  });

  it('adds up sessions of weeks that it shows as one year, but not visitors', async () => {
    const weeks = { dateRanges: [{ startDate: '2026-11-09', endDate: '2026-11-16' }] };
    const years = await run({ ...weeks, dimensions: names('isoYear'), metrics: names('sessions') });
    expect(shown(years.rows)).toEqual([['2026', '8']]);
    const { status, body } = await call('runReport', {
      ...weeks,
      dimensions: names('isoYear'),
      metrics: names('activeUsers'),
    });
    expect([status, body.error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(body.error.message).toContain('activeUsers');
  });

  it('tells several ranges apart, and counts totals anew', async () => {
    const body = await run({
      dateRanges: [
        { startDate: '2026-11-10', endDate: '2026-11-10' },
        { startDate: '2026-11-09', endDate: '2026-11-09', name: 'before' },
      ],
      dimensions: names('deviceCategory'),
      metrics: names('activeUsers', 'sessions'),
      metricAggregations: [1, 'MAXIMUM', 5],
    });
    expect(body.dimensionHeaders).toEqual(names('deviceCategory', 'dateRange'));
    expect(shown(body.rows)).toEqual([
      ['mobile', 'date_range_0', '2', '2'],
      ['desktop', 'before', '1', '1'],
      ['desktop', 'date_range_0', '1', '1'],
    ]);
    expect(body.rowCount).toBe(3);
    expect(shown(body.totals)).toEqual([
      ['RESERVED_TOTAL', 'date_range_0', '3', '3'],
      ['RESERVED_TOTAL', 'before', '1', '1'],
    ]);
    expect(shown(body.maximums)).toEqual([
      ['RESERVED_MAX', 'date_range_0', '2', '2'],
      ['RESERVED_MAX', 'before', '1', '1'],
    ]);
    expect(shown(body.minimums)).toEqual([
      ['RESERVED_MIN', 'date_range_0', '1', '1'],
      ['RESERVED_MIN', 'before', '1', '1'],
    ]);
  });

  it('does not sum visitors for a total', async () => {
    const { totals, rows } = await run({
      dimensions: names('date'),
      metrics: names('activeUsers'),
      metricAggregations: ['TOTAL'],
    });
    expect(shown(rows)).toEqual([
      ['20261110', '3'],
      ['20261109', '1'],
    ]);
    expect(shown(totals)).toEqual([['RESERVED_TOTAL', '3']]);
  });

  it('filters by the values that are shown', async () => {
    const by = async (filter: object) => {
      const body = await run({
        dimensions: names('sessionSource', 'deviceCategory'),
        metrics: names('sessions'),
        dimensionFilter: filter,
      });
      return shown(body.rows);
    };
    const google = ['Google', 'desktop', '2'];
    const direct = ['(direct)', 'mobile', '1'];
    const news = ['news.example', 'mobile', '1'];
    const source = (stringFilter: object) => ({ filter: { fieldName: 'sessionSource', stringFilter } });
    expect(await by(source({ matchType: 1, value: 'google' }))).toEqual([google]);
    expect(await by(source({ matchType: 'EXACT', value: 'google', caseSensitive: true }))).toEqual([]);
    expect(await by(source({ value: '(direct)' }))).toEqual([direct]);
    expect(await by(source({ matchType: 'BEGINS_WITH', value: 'NEWS.' }))).toEqual([news]);
    expect(await by(source({ matchType: 'ENDS_WITH', value: '.example' }))).toEqual([news]);
    expect(await by(source({ matchType: 'CONTAINS', value: 'direct' }))).toEqual([direct]);
    expect(await by(source({ matchType: 'FULL_REGEXP', value: 'goo.le|.direct.' }))).toEqual([
      google,
      direct,
    ]);
    expect(await by(source({ matchType: 'PARTIAL_REGEXP', value: 'oo' }))).toEqual([google]);
    expect(await by({ notExpression: source({ value: 'Google' }) })).toEqual([direct, news]);
    expect(
      await by({
        andGroup: {
          expressions: [
            { filter: { fieldName: 'deviceCategory', inListFilter: { values: ['MOBILE', 'tablet'] } } },
            { orGroup: { expressions: [source({ value: 'Google' }), source({ value: '(direct)' })] } },
          ],
        },
      }),
    ).toEqual([direct]);
  });

  it('calls a pageview page_view, both ways', async () => {
    const body = await run({ dimensions: names('eventName'), metrics: names('eventCount') });
    expect(shown(body.rows)).toEqual([
      ['page_view', '6'],
      ['signup', '1'],
    ]);
    const filtered = await run({
      metrics: names('eventCount'),
      dimensionFilter: { filter: { fieldName: 'eventName', stringFilter: { value: 'page_view' } } },
    });
    expect(shown(filtered.rows)).toEqual([['6']]);
  });

  it('reckons expressions, filters by metrics that it does not show, and orders by any', async () => {
    const body = await run({
      dimensions: names('pagePath'),
      metrics: [
        { name: 'viewsPerUser', expression: 'screenPageViews / activeUsers' },
        { name: 'more', expression: 'eventCount + 1' },
        { name: 'sessions', invisible: true },
      ],
      metricFilter: {
        filter: { fieldName: 'eventCount', numericFilter: { operation: 5, value: { int64Value: '2' } } },
      },
      orderBys: [{ metric: { metricName: 'sessions' }, desc: false }],
    });
    expect(body.metricHeaders).toEqual([
      { name: 'viewsPerUser', type: 'TYPE_FLOAT' },
      { name: 'more', type: 'TYPE_INTEGER' },
    ]);
    expect(shown(body.rows)).toEqual([
      ['/pricing', '1', '3'],
      ['/blog', '1', '3'],
      ['/', '1.5', '4'],
    ]);
    expect(body.rowCount).toBe(3);
  });

  it("gives GA4's meanings: engaged, new, key events, revenue", async () => {
    await plane.call('POST', `/v1/sites/${site}/goals`, { body: { eventName: 'signup' } });
    const request = {
      dateRanges: [{ startDate: '2026-11-15', endDate: '2026-11-15' }],
      dimensions: names('sessionDefaultChannelGroup'),
      metricAggregations: ['TOTAL'],
    };
    const users = await run({
      ...request,
      metrics: names(
        'activeUsers',
        'newUsers',
        'sessions',
        'engagedSessions',
        'engagementRate',
        'bounceRate',
      ),
    });
    expect(shown([...users.rows, ...users.totals])).toEqual([
      ['Organic Search', '2', '2', '2', '1', '0.5', '0.5'],
      ['Direct', '1', '0', '1', '1', '1', '0'],
      ['RESERVED_TOTAL', '3', '2', '3', '2', String(2 / 3), String(1 / 3)],
    ]);
    const events = await run({
      ...request,
      metrics: names(
        'keyEvents',
        'sessionKeyEventRate',
        'userKeyEventRate',
        'totalRevenue',
        'averageRevenuePerUser',
      ),
    });
    expect(shown([...events.rows, ...events.totals])).toEqual([
      ['Organic Search', '1', '0.5', '0.5', '20', '10'],
      ['RESERVED_TOTAL', '1', String(1 / 3), String(1 / 3), '20', String(20 / 3)],
    ]);
    expect(events.metricHeaders[3]).toEqual({ name: 'totalRevenue', type: 'TYPE_CURRENCY' });
    const time = await run({
      ...request,
      metrics: names('userEngagementDuration', 'averageSessionDuration'),
    });
    expect(shown(time.rows)).toEqual([
      ['Direct', '4', '20'],
      ['Organic Search', '0', '2'],
    ]);
    const languages = await run({
      ...request,
      dimensions: names('languageCode'),
      metrics: names('sessions'),
    });
    expect(shown(languages.rows)).toEqual([
      ['en-GB', '2'],
      ['de', '1'],
    ]);
  });

  it("refuses amounts that are not in the site's currency", async () => {
    for (const startDate of ['2026-11-15', '2026-11-16']) {
      const { status, body } = await call('runReport', {
        dateRanges: [{ startDate, endDate: '2026-11-16' }],
        metrics: names('totalRevenue'),
      });
      expect([status, body.error.message]).toEqual([400, expect.stringMatching(/several currencies|USD/)]);
    }
  });

  it('leaves out rows of zeros unless they are to be kept', async () => {
    const request = { dimensions: names('eventName'), metrics: names('screenPageViews') };
    expect(shown((await run(request)).rows)).toEqual([['page_view', '6']]);
    expect(shown((await run({ ...request, keepEmptyRows: true })).rows)).toEqual([
      ['page_view', '6'],
      ['signup', '0'],
    ]);
  });

  it('joins and cases dimensions', async () => {
    const body = await run({
      dimensions: [
        {
          name: 'where',
          dimensionExpression: { concatenate: { dimensionNames: ['countryId', 'browser'], delimiter: '-' } },
        },
        { name: 'shout', dimensionExpression: { upperCase: { dimensionName: 'browser' } } },
      ],
      metrics: names('sessions'),
    });
    expect(shown(body.rows)).toEqual([
      ['AT-Safari', 'SAFARI', '2'],
      ['DE-Firefox', 'FIREFOX', '2'],
    ]);
  });

  it('lists dimensions without metrics', async () => {
    const { rows, rowCount } = await run({ dimensions: names('countryId') });
    expect([shown(rows), rowCount]).toEqual([[['AT'], ['DE']], 2]);
  });

  it('takes fields under their own names, and null for what is left out', async () => {
    const body = await call('runReport', {
      date_ranges: [{ start_date: '2026-11-09', end_date: '2026-11-10', name: null }],
      dimensions: names('pagePath'),
      metrics: names('sessions'),
      dimension_filter: {
        filter: { field_name: 'pagePath', string_filter: { match_type: 'BEGINS_WITH', value: '/b' } },
      },
      metric_filter: null,
      order_bys: [{ metric: { metric_name: 'sessions' }, desc: true }],
      limit: null,
    });
    expect([body.status, shown(body.body.rows)]).toEqual([200, [['/blog', '2']]]);
  });

  it('groups by nine dimensions', async () => {
    const { rows } = await run({
      dimensions: names(
        ...['date', 'hour', 'countryId', 'deviceCategory', 'browser', 'sessionSource', 'sessionMedium'],
        ...['pagePath', 'eventName'],
      ),
      metrics: names('eventCount'),
      orderBys: [{ dimension: { dimensionName: 'date' } }],
      limit: 1,
    });
    expect(shown(rows)).toEqual([
      ['20261109', '10', 'DE', 'desktop', 'Firefox', 'Google', 'referral', '/', 'page_view', '1'],
    ]);
  });

  it('shows and filters the medium, tagged or not, alone and beside the source', async () => {
    const DAY = '2026-11-17';
    const session = (visitor: bigint, about: Record<string, string>): GivenSession => ({
      site,
      visitor,
      events: [{ at: at(`${DAY}T09:00:00`) }],
      about,
    });
    await insertSessions(postgres.pool, [
      session(31n, {}),
      session(32n, { source: 'Google', channel: 'Organic Search' }),
      session(33n, { source: 'Google', channel: 'Paid Search' }),
      session(34n, { source: 'blog.example', channel: 'Referral' }),
      session(35n, { source: 'letter', utm_source: 'letter', utm_medium: 'email', channel: 'Email' }),
      session(36n, { source: 'partner', utm_source: 'partner', channel: 'Referral' }),
    ]);
    const request = {
      dateRanges: [{ startDate: DAY, endDate: DAY }],
      dimensions: names('sessionSourceMedium', 'sessionMedium'),
      metrics: names('sessions'),
    };
    const { rows } = await run(request);
    expect(shown(rows)).toEqual([
      ['(direct) / (none)', '(none)', '1'],
      ['Google / cpc', 'cpc', '1'],
      ['Google / organic', 'organic', '1'],
      ['blog.example / referral', 'referral', '1'],
      ['letter / email', 'email', '1'],
      ['partner / (not set)', '(not set)', '1'],
    ]);
    const filtered = async (stringFilter: object) => {
      const filter = { fieldName: 'sessionSourceMedium', stringFilter };
      const body = await run({ ...request, dimensionFilter: { filter } });
      return shown(body.rows).map(([both]) => both);
    };
    expect(await filtered({ value: 'google / organic' })).toEqual(['Google / organic']);
    expect(await filtered({ matchType: 'PARTIAL_REGEXP', value: '/ (cpc|email)$' })).toEqual([
      'Google / cpc',
      'letter / email',
    ]);
  });

  it('knows today, and says what is left of the quota', async () => {
    const body = await run({
      dateRanges: [{ startDate: '1daysAgo', endDate: 'today' }],
      metrics: names('activeUsers'),
      returnPropertyQuota: true,
    });
    expect(shown(body.rows)).toEqual([['3']]);
    const { tokensPerHour, ...others } = body.propertyQuota;
    expect(tokensPerHour).toEqual({ consumed: 1, remaining: expect.any(Number) });
    expect(tokensPerHour.remaining).toBeGreaterThan(0);
    expect(Object.keys(others).sort()).toEqual([
      'concurrentRequests',
      'potentiallyThresholdedRequestsPerHour',
      'serverErrorsPerProjectPerHour',
      'tokensPerDay',
      'tokensPerProjectPerHour',
    ]);
  });

  it('has no rows where there is nothing', async () => {
    const body = await run({
      dateRanges: [{ startDate: '2020-01-01', endDate: '2020-01-02' }],
      metrics: names('sessions', 'activeUsers'),
    });
    expect(body).toMatchObject({ rows: [], rowCount: 0 });
  });
});

describe('batchRunReports', () => {
  it('answers each report in its place', async () => {
    const { body } = await call('batchRunReports', {
      requests: [
        { dateRanges: NOVEMBER, metrics: names('sessions') },
        { property: `properties/${PROPERTY}`, dateRanges: NOVEMBER, metrics: names('eventCount') },
      ],
    });
    expect(body.kind).toBe('analyticsData#batchRunReports');
    expect(body.reports.map(({ rows }: { rows: Shown }) => shown(rows))).toEqual([[['4']], [['7']]]);
    expect(body.reports[1].kind).toBe('analyticsData#runReport');
  });

  it('refuses a sixth, and reports of another property', async () => {
    const report = { dateRanges: NOVEMBER, metrics: names('sessions') };
    const sixth = await call('batchRunReports', { requests: Array.from({ length: 6 }, () => report) });
    expect([sixth.status, sixth.body.error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    const other = await call('batchRunReports', { requests: [{ ...report, property: 'properties/7' }] });
    expect(other.status).toBe(400);
  });
});

describe('runRealtimeReport', () => {
  it('counts the last 30 minutes, by minute', async () => {
    const { body } = await call('runRealtimeReport', {
      dimensions: names('minutesAgo'),
      metrics: names('activeUsers', 'screenPageViews'),
      orderBys: [{ dimension: { dimensionName: 'minutesAgo' } }],
    });
    expect(body.kind).toBe('analyticsData#runRealtimeReport');
    expect(body.metadata).toBeUndefined();
    expect(body.rows).toHaveLength(2);
    // The clock may have moved on by a minute.
    const [[first], [second]] = shown(body.rows) as [[string], [string]];
    expect(Number(second) - Number(first)).toBe(9);
    expect(['02', '03']).toContain(first);
  });

  it('counts the minutes asked for, with names', async () => {
    const { body } = await call('runRealtimeReport', {
      minuteRanges: [
        { startMinutesAgo: 8, name: 'now' },
        { startMinutesAgo: '29', endMinutesAgo: 9 },
      ],
      dimensions: names('countryId', 'unifiedScreenName'),
      metrics: names('activeUsers', 'eventCount'),
    });
    expect(shown(body.rows)).toEqual([
      ['FR', '/', 'date_range_1', '1', '1'],
      ['FR', '/', 'now', '1', '1'],
    ]);
  });

  it('refuses what only reports know', async () => {
    const { status, body } = await call('runRealtimeReport', { metrics: names('sessions') });
    expect([status, body.error.message]).toEqual([
      400,
      'metrics[0].name sessions is not a metric that is answered here',
    ]);
  });
});

describe('getMetadata', () => {
  it('describes what reports know, each name with its type', async () => {
    const { status, body } = await plane.call('GET', `/v1beta/properties/${PROPERTY}/metadata`, {
      key: reader,
    });
    expect([status, body.name]).toEqual([200, `properties/${PROPERTY}/metadata`]);
    expect(body.metrics).toContainEqual(
      expect.objectContaining({
        apiName: 'engagementRate',
        type: 'TYPE_FLOAT',
        expression: expect.any(String),
      }),
    );
    expect(body.dimensions).toContainEqual(
      expect.objectContaining({ apiName: 'date', category: 'Time', description: expect.any(String) }),
    );
    expect(body.dimensions.map(({ apiName }: { apiName: string }) => apiName)).not.toContain('minutesAgo');
  });
});

/** Of filters that say not, so many times. */
const nested = (times: number): object =>
  times === 0 ? { filter: { fieldName: 'city' } } : { notExpression: nested(times - 1) };

describe('refuses', () => {
  const request = { dateRanges: NOVEMBER, metrics: names('sessions') };

  it('whoever has no key, or one that may not read', async () => {
    const without = await call('runReport', request, { key: null });
    expect([without.status, without.body.error]).toEqual([
      401,
      { code: 401, message: expect.any(String), status: 'UNAUTHENTICATED' },
    ]);
    const ingest = await call('runReport', request, { key: await keyFor(site, ['ingest']) });
    expect([ingest.status, ingest.body.error.status]).toEqual([403, 'PERMISSION_DENIED']);
  });

  it('a property of somebody else exactly as one that does not exist', async () => {
    await plane.call('POST', '/v1/sites', { body: { domain: 'other.example', trackingIds: ['777'] } });
    const answers = await Promise.all(
      ['777', 'other.example', '778', 'nowhere.example'].map((property) =>
        call('runReport', request, { property }),
      ),
    );
    expect(answers.map(({ status, body }) => [status, body.error.status])).toEqual(
      answers.map(() => [403, 'PERMISSION_DENIED']),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await call('runReport', request, { property: '777', key: OPERATOR_KEY })).status).toBe(200);
  });

  it('finds a site by its domain and id, too', async () => {
    for (const property of ['shop.example', site]) {
      expect((await call('runReport', request, { property })).status).toBe(200);
    }
  });

  it.each([
    ['an unknown metric', { metrics: names('cohortActiveUsers') }, 'cohortActiveUsers'],
    ['an unknown dimension', { dimensions: names('pageTitle') }, 'pageTitle'],
    ['an unknown key', { pivots: [] }, 'pivots'],
    ['cohorts', { dateRanges: undefined, cohortSpec: { cohorts: [] } }, 'cohortSpec is not answered here'],
    ['deep nesting', { dimensionFilter: nested(200) }, 'nested'],
    ['a broken expression', { metrics: [{ name: 'x', expression: 'sessions -' }] }, 'ends too early'],
    ['a missing range', { dateRanges: [] }, 'dateRanges'],
    [
      'a range that ends before it starts',
      { dateRanges: [{ startDate: 'today', endDate: 'yesterday' }] },
      'end',
    ],
    [
      'a day that does not exist',
      { dateRanges: [{ startDate: '2026-02-30', endDate: 'today' }] },
      '2026-02-30',
    ],
    ['a tenth dimension', { dimensions: names(...'abcdefghij') }, 'at most 9 dimensions'],
    ['an eleventh metric', { metrics: names(...'abcdefghijk') }, 'at most 10 metrics'],
    ['a fifth range', { dateRanges: Array.from({ length: 5 }, () => NOVEMBER[0]) }, 'at most 4'],
    ['another currency', { currencyCode: 'USD' }, 'EUR'],
    [
      'an order that is not asked for',
      { orderBys: [{ metric: { metricName: 'eventCount' } }] },
      'eventCount',
    ],
    [
      'a filter on a bucket of time',
      { dimensionFilter: { filter: { fieldName: 'yearWeek', stringFilter: { value: '202646' } } } },
      'dateRanges',
    ],
    [
      'a number for a text',
      {
        dimensionFilter: {
          filter: { fieldName: 'city', numericFilter: { operation: 1, value: { int64Value: '1' } } },
        },
      },
      'stringFilter',
    ],
    [
      'a pattern that PostgreSQL does not take',
      {
        dimensionFilter: {
          filter: { fieldName: 'browser', stringFilter: { matchType: 6, value: '(' } },
        },
      },
      'parentheses',
    ],
    [
      'a pattern with too many ways',
      {
        dimensionFilter: {
          filter: {
            fieldName: 'deviceCategory',
            stringFilter: { matchType: 5, value: `${'(.*)*'.repeat(8)}z` },
          },
        },
      },
      'deviceCategory',
    ],
  ])('%s', async (_, change, told) => {
    const { status, body } = await call('runReport', { ...request, ...change });
    expect([status, body.error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(body.error.message).toContain(told);
  });

  it('a body that is not JSON, and methods that there are not', async () => {
    const broken = await plane.app.inject({
      method: 'POST',
      url: `/v1beta/properties/${PROPERTY}:runReport`,
      headers: { authorization: `Bearer ${reader}`, 'content-type': 'application/json' },
      payload: '{',
    });
    expect([broken.statusCode, broken.json().error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    const pivot = await call('runPivotReport', {});
    expect([pivot.status, pivot.body.error.status]).toEqual([404, 'NOT_FOUND']);
  });

  it.each(["'; DROP TABLE sessions_v1; --", '\\', '%', '$1', '(direct)\\'])(
    'nothing of %j in a filter: it is a value',
    async (value) => {
      for (const matchType of ['EXACT', 'BEGINS_WITH', 'ENDS_WITH', 'CONTAINS']) {
        const filter = { fieldName: 'sessionSource', stringFilter: { matchType, value } };
        const body = await run({ metrics: names('sessions'), dimensionFilter: { filter } });
        expect(body.rows).toEqual([]);
      }
    },
  );
});
