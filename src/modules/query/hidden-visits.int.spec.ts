// A merchant over its quota whose visits are hidden: every answer is that of plain counting without the visits that
// began then, says so, and is whole again as soon as they are shown. Over HTTP, from all sources.
import { setTimeout as delay } from 'node:timers/promises';
import { naiveReport } from '../../../test/naive-report.js';
import { randomSessions } from '../../../test/random-sessions.js';
import { type GivenSession, insertSessions, isPageview, pageOf } from '../../../test/read-model-rows.js';
import { type QuerySide, startQuerySide } from '../../../test/servers/query-side.js';
import { EventStore } from '../../event-store/event-store.js';
import { DirectoryFollower } from '../auth/directories/directory-follower.js';
import { quotaStream } from '../auth/quotas/quota.aggregate.js';
import { BEAT_MS } from './realtime/snapshots.js';

const FROM = Date.parse('2026-10-05T00:00:00Z');
const TO = Date.parse('2026-11-10T00:00:00Z');
const RANGE = [new Date(FROM).toISOString(), new Date(TO).toISOString()];
const HIDDEN = { from: '2026-10-20T11:00:00.000Z', to: '2026-11-01T00:00:00.000Z' };
const METRICS = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration', 'events'];
const QUOTA = '/admin/v1/merchants/default/quota';

let side: QuerySide;
let all: readonly GivenSession[];
let shown: readonly GivenSession[];
let site: string;

beforeAll(async () => {
  side = await startQuerySide();
  site = side.site;
  all = randomSessions({ seed: 11, site, count: 900, from: FROM, to: TO });
  const beganAt = ({ events }: GivenSession) => Math.min(...events.map(({ at }) => at));
  shown = all.filter(
    (session) => beganAt(session) < Date.parse(HIDDEN.from) || beganAt(session) >= Date.parse(HIDDEN.to),
  );
  await insertSessions(side.postgres.pool, all);
  await side.plane.call('PUT', QUOTA, { body: { eventsPerMonth: 5, policy: 'hide' } });
});
afterAll(() => side.stop());

const exceed = async (fields: object = {}): Promise<void> => {
  const stream = quotaStream('default');
  const store = side.plane.app.get(EventStore, { strict: false });
  let revision = 0n as unknown as number;
  for await (const event of store.readStream(stream)) revision = event.revision;
  const data = {
    ...{ merchant: 'default', month: '2026-10', policy: 'hide', ...HIDDEN },
    ...{ samplePercent: null, eventsMax: 5, events: 5, ...fields },
  };
  await store.append(stream, [{ type: 'QuotaExceeded', data }], revision);
  await side.plane.app.get(DirectoryFollower, { strict: false }).settle();
};
const reveal = () => side.plane.call('POST', `${QUOTA}/reveal`, { body: { month: '2026-10' } });

const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  side.plane.call('POST', path, { key: side.reader, body, headers });
const ask = async (body: object = {}, headers = {}) => {
  const asked = { metrics: METRICS, date_range: RANGE, order_by: [['visits', 'desc']], ...body };
  const answer = await post(`/v1/sites/${site}/query`, asked, headers);
  expect(answer.status).toBe(200);
  return answer;
};
const askForCsv = async (body: object, report?: string) => {
  const answer = await side.plane.app.inject({
    method: 'POST',
    url: `/v1/sites/${site}/${report === undefined ? '' : `${report}/`}query`,
    headers: {
      ...{ authorization: `Bearer ${side.reader}`, accept: 'text/csv' },
      'content-type': 'application/json',
    },
    payload: JSON.stringify(body),
  });
  expect(answer.statusCode).toBe(200);
  return answer;
};
const counted = (sessions: readonly GivenSession[], dimensions: readonly string[] = []) =>
  naiveReport(sessions, { site, zone: 'UTC', from: FROM, to: TO, metrics: METRICS, dimensions });
const sorted = (rows: readonly { dimensions: readonly string[]; metrics: readonly unknown[] }[]) =>
  rows.map(({ dimensions, metrics }) => JSON.stringify([dimensions, metrics])).toSorted();

const GROUPS = [
  [],
  ['time:hour'],
  ['time:day'],
  ['time:month'],
  ['visit:source'],
  ['event:page', 'time:week'],
];

async function expectAnswersOf(sessions: readonly GivenSession[], incomplete: object | undefined) {
  for (const dimensions of GROUPS) {
    const { body } = await ask({ dimensions });
    expect(sorted(body.results)).toEqual(sorted(counted(sessions, dimensions)));
    expect(body.meta.incomplete).toEqual(incomplete);
  }
}

it('leaves out what is hidden, whatever it is asked from, and shows it once it is revealed', async () => {
  await expectAnswersOf(all, undefined);
  expect((await ask()).body.meta.source).toBe('rollup');
  const before = (await ask()).headers.etag;
  await exceed();
  expect(shown.length).toBeLessThan(all.length - 100);
  await expectAnswersOf(shown, [{ ...HIDDEN, policy: 'hide' }]);
  const during = await ask();
  expect([during.body.meta.source, during.headers.etag === before]).toEqual(['facts', false]);
  // Asked again by the same text, and what the client has of it.
  expect((await ask()).body.results).toEqual(during.body.results);
  expect((await reveal()).body).toMatchObject({ policy: 'hide', excesses: [] });
  await expectAnswersOf(all, undefined);
  expect((await ask()).headers.etag).toBe(before);
  expect((await ask()).body.meta.source).toBe('rollup');
});

describe('while visits are hidden', () => {
  beforeAll(async () => {
    // Another quota is reached anew.
    await side.plane.call('PUT', QUOTA, { body: { eventsPerMonth: 4, policy: 'hide' } });
    await exceed();
  });

  it('takes the rollup where nothing of it is about them', async () => {
    const { body } = await ask({ date_range: [RANGE[0], '2026-10-20T11:00:00Z'] });
    expect([body.meta.source, body.meta.incomplete]).toEqual(['rollup', undefined]);
    const later = await ask({ date_range: ['2026-11-04T00:00:00Z', RANGE[1]] });
    expect([later.body.meta.source, later.body.meta.incomplete]).toEqual(['rollup', undefined]);
  });

  it('is said of what is compared with, too, and in CSV by a header', async () => {
    const date_range = ['2026-11-04', '2026-11-09'];
    const compared = await ask({ date_range, include: { compare: ['2026-10-25', '2026-10-30'] } });
    expect(compared.body.results[0].comparison.metrics[1]).toBe(0);
    expect(compared.body.meta.incomplete).toEqual([{ ...HIDDEN, policy: 'hide' }]);
    const named = 'tidemark-incomplete';
    // The second time, from the cache.
    for (let time = 1; time <= 2; time++) {
      const csv = await askForCsv({ metrics: ['visits'], date_range: RANGE });
      expect(csv.headers[named]).toBe(`${HIDDEN.from}/${HIDDEN.to};policy=hide`);
    }
    const ofReport = await askForCsv({ date_range: RANGE, page: '/', before: 1, after: 1 }, 'journeys');
    expect(ofReport.headers[named]).toContain(HIDDEN.from);
    expect((await askForCsv({ metrics: ['visits'], date_range })).headers).not.toHaveProperty(named);
  });

  it('holds for filters and for reports', async () => {
    const { body } = await ask({ filters: [['is', 'event:page', ['/pricing']]] });
    const where = (value: (dimension: string) => string) => value('event:page') === '/pricing';
    expect(sorted(body.results)).toEqual(
      sorted(
        naiveReport(shown, {
          ...{ site, zone: 'UTC', from: FROM, to: TO, metrics: METRICS, where },
          ...{ filtersEvents: true, filtersPage: true },
        }),
      ),
    );
    const funnel = { date_range: RANGE, steps: [{ pagePath: '/' }, { pagePath: '/pricing' }] };
    const answer = await post(`/v1/sites/${site}/funnels/query`, funnel);
    expect([answer.status, answer.body.meta.incomplete]).toEqual([200, [{ ...HIDDEN, policy: 'hide' }]]);
    const entered = new Set(
      shown
        .filter(({ bot }) => !bot)
        .flatMap((session) =>
          session.events
            .filter((event) => isPageview(event) && pageOf(event) === '/' && event.at < TO)
            .map(({ visitor = session.visitor }) => String(visitor)),
        ),
    );
    expect(answer.body.results.steps[0].visitors).toBe(entered.size);
  });

  it('is said in the vendors’ words by their dialects', async () => {
    const plausible = await post('/api/v2/query', {
      ...{ site_id: 'shop.example', metrics: ['visits'], date_range: ['2026-10-05', '2026-11-09'] },
    });
    expect(plausible.body.results[0].metrics).toEqual([counted(shown)[0]!.metrics[1]]);
    expect(plausible.body.meta.warning).toContain(HIDDEN.from);
    const ga4 = await post(`/v1beta/properties/${site}:runReport`, {
      ...{
        metrics: [{ name: 'sessions' }],
        dateRanges: [{ startDate: '2026-10-05', endDate: '2026-11-09' }],
      },
    });
    expect(ga4.body.metadata).toMatchObject({ subjectToThresholding: true });
    expect(ga4.body.rows[0].metricValues[0].value).toBe(`${counted(shown)[0]!.metrics[1]}`);
  });

  it('says of sampled times what share was taken, and hides nothing of them', async () => {
    const sampled = { from: '2026-10-10T00:00:00.000Z', to: '2026-10-12T00:00:00.000Z' };
    await exceed({ policy: 'sample', samplePercent: 20, ...sampled });
    const { body } = await ask({ date_range: ['2026-10-08', '2026-10-14'] });
    expect(body.meta).toMatchObject({
      source: 'rollup',
      incomplete: [{ ...sampled, policy: 'sample', share: 0.2 }],
    });
  });
});

describe('an export', () => {
  it('holds the visits that are shown, and says that others are not', async () => {
    const body = { what: 'sessions', date_range: RANGE };
    const job = await post(`/v1/sites/${site}/exports`, body);
    expect(job.status).toBe(202);
    let state = job.body;
    const deadline = Date.now() + 60_000;
    while (state.state !== 'done' && Date.now() < deadline) {
      await delay(100);
      state = (await side.plane.call('GET', `/v1/sites/${site}/jobs/${state.id}`, { key: side.reader })).body;
    }
    expect(state.result.incomplete).toContainEqual({ ...HIDDEN, policy: 'hide' });
    const visits = naiveReport(shown, { site, zone: 'UTC', from: FROM, to: TO, metrics: ['visits'] });
    expect(state.result.rows).toBe(visits[0]!.metrics[0]);
  });
});

it('realtime leaves them out, and shows them a beat after they are shown', async () => {
  const now = Date.now();
  const visitor = { site, visitor: 77n, events: [{ at: now - 60_000 }] };
  await insertSessions(side.postgres.pool, [visitor]);
  const [from, to] = [now - 3_600_000, now + 3_600_000].map((at) => new Date(at).toISOString());
  const month = from!.slice(0, 7);
  await exceed({ month, from, to });
  const poll = () => side.plane.call('GET', `/v1/sites/${site}/realtime`, { key: side.reader });
  const during = (await poll()).body;
  expect([during.visitors, during.minutes.some((one: { events: number }) => one.events > 0)]).toEqual([
    ...[0, false],
  ]);
  expect(during.meta.incomplete).toEqual([{ from, to, policy: 'hide' }]);
  await side.plane.call('POST', `${QUOTA}/reveal`, { body: { month } });
  await delay(BEAT_MS + 100);
  const after = (await poll()).body;
  expect([after.visitors, after.meta.incomplete]).toEqual([1, undefined]);
});

describe('raised', () => {
  it('a quota shows what it hid', async () => {
    await side.plane.call('PUT', QUOTA, { body: { eventsPerMonth: 100, policy: 'hide' } });
    const { body } = await ask();
    expect(sorted(body.results)).toEqual(sorted(counted(all)));
  });
});
