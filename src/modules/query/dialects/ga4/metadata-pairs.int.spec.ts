// Whatever getMetadata lists can be asked for: every metric by every dimension, over several days and in
// realtime. None may be answered by anything but a report full of numbers.
import { randomSessions } from '../../../../../test/random-sessions.js';
import { createReadModels, insertSessions, setCheckpoints } from '../../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';
import { QueryModule } from '../../query.module.js';
import { dimensionNames } from './dimension-vocabulary.js';
import { metricNames } from './metric-vocabulary.js';

/** As many days as may be asked for by the minute. */
const DAYS = [{ startDate: '2026-11-09', endDate: '2026-11-14' }];
/** In one report. */
const METRICS_MAX = 10;
const PROPERTY = 'shop.example';

let postgres: MigratedPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, KEY_REQUESTS_PER_MINUTE_MAX: '100000' },
    modules: [QueryModule],
  });
  await createReadModels(postgres.pool);
  const now = new Date();
  await setCheckpoints(postgres.pool, '1', [now, now]);
  const { body } = await plane.call('POST', '/v1/sites', {
    body: { domain: PROPERTY, timezone: 'Europe/Berlin', currency: 'EUR' },
  });
  await plane.call('POST', `/v1/sites/${PROPERTY}/goals`, { body: { eventName: 'signup' } });
  const site = body.id as string;
  const at = (text: string) => Date.parse(text);
  await insertSessions(postgres.pool, [
    ...randomSessions({
      seed: 41,
      site,
      count: 60,
      from: at('2026-11-09T00:00Z'),
      to: at('2026-11-14T20:00Z'),
    }),
    { site, visitor: 1n, events: [{ at: now.getTime() - 60_000 }] },
  ]);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

const ask = (method: string, body: object) =>
  plane.call('POST', `/v1beta/properties/${PROPERTY}:${method}`, { key: OPERATOR_KEY, body });

async function listed() {
  const { body } = await plane.call('GET', `/v1beta/properties/${PROPERTY}/metadata`, { key: OPERATOR_KEY });
  const namesOf = (entries: readonly { readonly apiName: string }[]) => entries.map(({ apiName }) => apiName);
  return { dimensions: namesOf(body.dimensions), metrics: namesOf(body.metrics) };
}

it('lists what reports know', async () => {
  expect(await listed()).toEqual({ dimensions: dimensionNames('core'), metrics: metricNames('core') });
});

it.each([...dimensionNames('core'), 'customEvent:plan'])('every metric by %s', async (dimension) => {
  const { metrics } = await listed();
  for (let first = 0; first < metrics.length; first += METRICS_MAX) {
    const asked = metrics.slice(first, first + METRICS_MAX);
    const { status, body } = await ask('runReport', {
      dateRanges: DAYS,
      dimensions: [{ name: dimension }],
      metrics: asked.map((name) => ({ name })),
      keepEmptyRows: true,
      metricAggregations: ['TOTAL', 'MAXIMUM', 'MINIMUM'],
    });
    expect([status, body.error]).toEqual([200, undefined]);
    expect([body.rows.length > 0, body.rowCount]).toEqual([true, body.rows.length]);
    for (const { metricValues } of [...body.rows, ...body.totals, ...body.maximums, ...body.minimums]) {
      const values = metricValues.map(({ value }: { value: string }) => Number(value));
      expect([values.length, values.every(Number.isFinite)]).toEqual([asked.length, true]);
    }
  }
});

it.each(dimensionNames('realtime'))('every realtime metric by %s', async (dimension) => {
  const { status, body } = await ask('runRealtimeReport', {
    dimensions: [{ name: dimension }],
    metrics: metricNames('realtime').map((name) => ({ name })),
  });
  expect([status, body.rowCount]).toEqual([200, 1]);
});
