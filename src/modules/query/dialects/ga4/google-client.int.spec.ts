// Google's own client, only pointed here: what it sends is understood, and what it is answered it reads.
import type { AddressInfo } from 'node:net';
import { BetaAnalyticsDataClient, protos } from '@google-analytics/data';
import { OAuth2Client } from 'google-auth-library';
import { createReadModels, insertSessions, setCheckpoints } from '../../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';
import { QueryModule } from '../../query.module.js';

const { MetricAggregation } = protos.google.analytics.data.v1beta;
const PROPERTY = 'properties/4711';
const DATE_RANGES = [{ startDate: '2026-11-09', endDate: '2026-11-10' }];

let postgres: MigratedPostgres;
let plane: ControlPlane;
let client: BetaAnalyticsDataClient;
let clientFor: (key: string) => BetaAnalyticsDataClient;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY },
    modules: [QueryModule],
  });
  await createReadModels(postgres.pool);
  const now = new Date();
  await setCheckpoints(postgres.pool, '1', [now, now]);
  const { body: site } = await plane.call('POST', '/v1/sites', {
    body: { domain: 'shop.example', trackingIds: ['4711'], currency: 'EUR' },
  });
  const { body: key } = await plane.call('POST', `/v1/sites/${site.id}/keys`, {
    body: { name: 'k', scopes: ['stats:read'] },
  });
  const session = (visitor: bigint, at: number, country: string) => ({
    site: site.id as string,
    visitor,
    events: [
      { at, page: '/' },
      { at: at + 1_000, page: '/next' },
    ],
    about: { country, device: 'Desktop' },
  });
  await insertSessions(postgres.pool, [
    session(1n, Date.parse('2026-11-09T10:00:00Z'), 'DE'),
    session(2n, Date.parse('2026-11-10T10:00:00Z'), 'DE'),
    session(3n, Date.parse('2026-11-10T11:00:00Z'), 'AT'),
    session(4n, now.getTime() - 120_000, 'FR'),
  ]);
  await plane.app.listen(0, '127.0.0.1');
  const { port } = plane.app.getHttpServer().address() as AddressInfo;
  clientFor = (apiKey) => {
    // Its own fetch is an import that Jest's sandbox does not allow.
    const authClient = new OAuth2Client({ transporterOptions: { fetchImplementation: fetch } });
    authClient.setCredentials({ access_token: apiKey });
    return new BetaAnalyticsDataClient({
      fallback: 'rest',
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port,
      authClient,
    });
  };
  client = clientFor(key.key);
});
afterAll(async () => {
  await client.close();
  await plane.close();
  await postgres.stop();
});

it('runs reports', async () => {
  const [report] = await client.runReport({
    property: PROPERTY,
    dateRanges: DATE_RANGES,
    dimensions: [{ name: 'countryId' }, { name: 'date' }],
    metrics: [{ name: 'activeUsers' }, { name: 'viewsPerSession', expression: 'screenPageViews/sessions' }],
    dimensionFilter: {
      andGroup: {
        expressions: [
          {
            filter: {
              fieldName: 'deviceCategory',
              stringFilter: { matchType: 'BEGINS_WITH', value: 'desk' },
            },
          },
          { filter: { fieldName: 'countryId', inListFilter: { values: ['DE', 'AT'] } } },
          { notExpression: { filter: { fieldName: 'countryId', emptyFilter: {} } } },
        ],
      },
    },
    metricFilter: {
      filter: {
        fieldName: 'activeUsers',
        numericFilter: { operation: 'GREATER_THAN_OR_EQUAL', value: { int64Value: 1 } },
      },
    },
    orderBys: [
      { dimension: { dimensionName: 'countryId', orderType: 'ALPHANUMERIC' }, desc: true },
      { dimension: { dimensionName: 'date', orderType: 'NUMERIC' } },
    ],
    metricAggregations: [MetricAggregation.MAXIMUM, MetricAggregation.COUNT],
    limit: 2,
    offset: 1,
    keepEmptyRows: true,
    returnPropertyQuota: true,
  });
  expect(report.dimensionHeaders).toEqual([{ name: 'countryId' }, { name: 'date' }]);
  expect(report.metricHeaders).toEqual([
    { name: 'activeUsers', type: 'TYPE_INTEGER' },
    { name: 'viewsPerSession', type: 'TYPE_FLOAT' },
  ]);
  expect(
    report.rows?.map(({ dimensionValues, metricValues }) =>
      [...dimensionValues!, ...metricValues!].map(({ value }) => value),
    ),
  ).toEqual([
    ['DE', '20261110', '1', '2'],
    ['AT', '20261110', '1', '2'],
  ]);
  expect(report.rowCount).toBe(3);
  expect(report.maximums?.[0]?.metricValues).toMatchObject([{ value: '1' }, { value: '2' }]);
  expect(report.metadata).toMatchObject({ currencyCode: 'EUR', timeZone: 'UTC' });
  expect(report.propertyQuota?.tokensPerDay?.consumed).toBe(1);
  expect(report.kind).toBe('analyticsData#runReport');
});

it('runs several at once', async () => {
  const [{ reports, kind }] = await client.batchRunReports({
    property: PROPERTY,
    requests: [
      {
        dateRanges: DATE_RANGES,
        metrics: [{ name: 'sessions' }],
        metricAggregations: [MetricAggregation.TOTAL],
      },
      {
        dateRanges: [...DATE_RANGES, { startDate: 'yesterday', endDate: 'today', name: 'now' }],
        dimensions: [{ name: 'dateRange' }],
        metrics: [{ name: 'sessions' }],
      },
    ],
  });
  expect(kind).toBe('analyticsData#batchRunReports');
  expect(reports?.[0]?.totals?.[0]?.metricValues).toMatchObject([{ value: '3' }]);
  expect(
    reports?.[1]?.rows?.map(({ dimensionValues, metricValues }) => [
      dimensionValues?.[0]?.value,
      metricValues?.[0]?.value,
    ]),
  ).toEqual([
    ['date_range_0', '3'],
    ['now', '1'],
  ]);
});

it('looks at the last minutes', async () => {
  const [report] = await client.runRealtimeReport({
    property: PROPERTY,
    dimensions: [{ name: 'countryId' }],
    metrics: [{ name: 'activeUsers' }],
    minuteRanges: [{ startMinutesAgo: 29, endMinutesAgo: 0, name: 'half an hour' }],
  });
  expect(report.rows).toMatchObject([{ dimensionValues: [{ value: 'FR' }], metricValues: [{ value: '1' }] }]);
  expect(report.kind).toBe('analyticsData#runRealtimeReport');
});

it('asks what there is', async () => {
  const [metadata] = await client.getMetadata({ name: `${PROPERTY}/metadata` });
  expect(metadata.name).toBe(`${PROPERTY}/metadata`);
  expect(metadata.metrics?.find(({ apiName }) => apiName === 'sessions')?.type).toBe('TYPE_INTEGER');
  expect(metadata.dimensions?.map(({ apiName }) => apiName)).toContain('pagePath');
});

it('is told what is wrong, and that trying again is no use', async () => {
  const report = { property: PROPERTY, dateRanges: DATE_RANGES, metrics: [{ name: 'sessions' }] };
  const refused = async (change: object, as = client) => {
    const error = await as.runReport({ ...report, ...change }).catch((thrown: unknown) => thrown);
    return error as Error & { readonly code: number };
  };
  const unknown = await refused({ metrics: [{ name: 'nothing' }] });
  expect(unknown.code).toBe(400);
  expect(JSON.parse(unknown.message)).toEqual({
    error: {
      code: 400,
      message: 'metrics[0].name nothing is not a metric that is answered here',
      status: 'INVALID_ARGUMENT',
    },
  });
  expect((await refused({ property: 'properties/1' })).code).toBe(403);
  expect((await refused({}, clientFor('wrong'))).code).toBe(401);
});
