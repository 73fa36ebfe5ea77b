// A question whose text was asked before: what it answers early must be what the controller would answer, to
// whom it would, and not for a moment longer. Real modules, real PostgreSQL, real Redis.
import { setTimeout as delay } from 'node:timers/promises';
import { QueryBus } from '@nestjs/cqrs';
import { createReadModels, insertSessions, setCheckpoints } from '../../../../test/read-model-rows.js';
import { PATIENT, until } from '../../../../test/redis-node.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { describeWith } from '../../../../test/servers/describe-with.js';
import { type QuerySide, startQuerySide } from '../../../../test/servers/query-side.js';
import { startRedis, type TestRedis } from '../../../../test/servers/redis.js';
import { rowSecuritySql } from '../../../postgres/row-security.js';
import { RedisStore } from '../../../redis/redis-store.js';
import { EventStore } from '../../../event-store/event-store.js';
import { DirectoryFollower } from '../../auth/directories/directory-follower.js';
import { quotaStream } from '../../auth/quotas/quota.aggregate.js';
import { Serving } from '../../projections/read-models/serving.js';
import { QueryModule } from '../query.module.js';
import { RepeatedQuestions } from './repeated-questions.js';

const DAY = '2026-11-10';
const WATERMARK = new Date('2026-11-20T11:59:58Z');
const PEPPER = 'a pepper of at least 32 characters, for every node';
/** Longer than freshness is remembered. */
const NOTICED_MS = 300;
const REQUESTS_MAX = 400;
const VISITOR_REQUESTS_MAX = 5;

const VISITS = { metrics: ['visits', 'visitors'], date_range: [DAY, DAY], dimensions: ['visit:source'] };

describeWith('own-redis', 'a repeated question', () => {
  let redis: TestRedis;
  let side: QuerySide;
  let plane: ControlPlane;
  /** Another node of the same installation. */
  let other: ControlPlane;
  let site: string;
  let reader: string;
  let asked: jest.SpyInstance;
  let checkpoints = 0;

  beforeAll(async () => {
    redis = await startRedis({ own: true });
    const environment = {
      ...{ ...PATIENT, KEY_PEPPER: PEPPER, REDIS_URL: redis.url },
      KEY_REQUESTS_PER_MINUTE_MAX: String(REQUESTS_MAX),
      LINK_VISITOR_REQUESTS_PER_MINUTE_MAX: String(VISITOR_REQUESTS_MAX),
    };
    side = await startQuerySide({ environment, watermark: WATERMARK });
    ({ plane, site } = side);
    const { pool } = side.postgres;
    // The other makes its own, and the tests' replace them again.
    await pool.query('DROP TABLE sessions_v1, traffic_v1, changed_periods_v1');
    const modules = [QueryModule];
    other = await startControlPlane(pool, { environment: { OPERATOR_KEY, ...environment }, modules });
    await createReadModels(pool);
    for (const { app } of [plane, other]) {
      await app.get(RedisStore, { strict: false }).ready(5_000);
      await app.listen(0, '127.0.0.1');
    }
    await visit(site, `${DAY}T09:30:00Z`);
  });
  afterAll(async () => {
    await other?.close();
    await side?.stop();
    await redis.stop();
  });

  beforeEach(async () => {
    reader = await side.keyFor(site, ['stats:read']);
    asked = jest.spyOn(plane.app.get(QueryBus), 'execute');
  });
  afterEach(() => jest.restoreAllMocks());

  async function visit(of: string, time: string): Promise<void> {
    await insertSessions(side.postgres.pool, [{ site: of, visitor: 1n, events: [{ at: Date.parse(time) }] }]);
    await setCheckpoints(side.postgres.pool, `c${++checkpoints}`, [WATERMARK, WATERMARK]);
    await delay(NOTICED_MS);
  }

  interface Asking {
    readonly of?: string;
    readonly path?: string;
    readonly key?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly on?: ControlPlane;
  }

  /** Over a socket: what is injected into Fastify comes too late to be answered early. */
  async function ask(
    body: unknown,
    { of = site, path = `/v1/sites/${of}/query`, key = reader, headers = {}, on = plane }: Asking = {},
  ) {
    const answer = await fetch((await on.app.getUrl()) + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const answered = Object.fromEntries<string | undefined>(answer.headers);
    return { statusCode: answer.status, headers: answered, payload: await answer.text() };
  }

  /** The second time, by what is known of it. */
  async function known(body: unknown, asking: Asking = {}) {
    await ask(body, asking);
    asked.mockClear();
    const again = await ask(body, asking);
    expect([again.statusCode, asked.mock.calls.length]).toEqual([200, 0]);
    return again;
  }

  const resultsOf = (answer: { readonly payload: string }) => JSON.parse(answer.payload).results;
  const withoutLag = (payload: string) => payload.replace(/"lag_ms":\d+/, '');

  it('is answered as the first time, in every form, without asking the controller', async () => {
    const first = await ask(VISITS);
    expect(asked).toHaveBeenCalledTimes(1);
    const again = await known(VISITS);
    expect(withoutLag(again.payload)).toBe(withoutLag(first.payload));
    expect(Object.keys(again.headers).toSorted()).toEqual(Object.keys(first.headers).toSorted());
    for (const name of ['etag', 'vary', 'cache-control', 'content-type', 'content-security-policy']) {
      expect(again.headers[name]).toBe(first.headers[name]);
    }
    const etag = String(first.headers.etag);
    const same = await ask(VISITS, { headers: { 'if-none-match': etag, 'x-request-id': 'mine' } });
    expect([same.statusCode, same.payload, same.headers['x-request-id']]).toEqual([304, '', 'mine']);
    expect((await ask(VISITS, { headers: { 'if-none-match': '"other"' } })).statusCode).toBe(200);
    expect(asked).not.toHaveBeenCalled();
    // For the controller, which has the answer, too.
    const csv = await ask(VISITS, { headers: { accept: 'text/csv', 'if-none-match': etag } });
    expect(csv.payload).toBe('visit:source,visits,visitors\r\nDirect / None,1,1\r\n');
  });

  it('is left to the controller where it would answer later', async () => {
    await known(VISITS);
    const later = await ask(VISITS, { headers: { prefer: 'respond-async' } });
    expect(later.statusCode).toBe(202);
    // Its work asks the bus, too: in no other test.
    const location = String(later.headers.location);
    await until(
      async () => (await plane.call('GET', location, { key: reader })).body.state === 'done',
      10_000,
    );
  });

  it('is refused as any other: by scope, by site, without a key, while keys cannot be checked', async () => {
    await known(VISITS);
    const elsewhere = (await plane.call('POST', '/v1/sites', { body: { domain: 'other.example' } })).body.id;
    const [foreign, writer] = [
      await side.keyFor(elsewhere, ['stats:read']),
      await side.keyFor(site, ['ingest']),
    ];
    const statuses = [foreign, writer, 'nobody'].map(async (key) => (await ask(VISITS, { key })).statusCode);
    expect(await Promise.all(statuses)).toEqual([404, 403, 401]);
    expect(resultsOf(await known(VISITS, { of: elsewhere, key: foreign }))).toEqual([]);
    expect((await ask(VISITS, { path: `/v1/sites/${site}/query?key=${reader}` })).statusCode).toBe(401);
    jest.spyOn(plane.app.get(DirectoryFollower), 'isStale', 'get').mockReturnValue(true);
    expect((await ask(VISITS)).statusCode).toBe(503);
  });

  it('is refused to a revoked key at once on this node, soon on another', async () => {
    await known(VISITS);
    for (let time = 0; time < 2; time++) expect((await ask(VISITS, { on: other })).statusCode).toBe(200);
    const { body } = await plane.call('GET', `/v1/sites/${site}/keys`);
    for (const { id } of body.keys) await plane.call('DELETE', `/v1/sites/${site}/keys/${id}`);
    expect((await ask(VISITS)).statusCode).toBe(401);
    await until(async () => (await ask(VISITS, { on: other })).statusCode === 401, 10_000);
  });

  it('is answered anew when something late reaches its days, and not for what happens elsewhere', async () => {
    const body = { ...VISITS, date_range: ['2026-11-12', '2026-11-12'] };
    expect(resultsOf(await known(body))).toEqual([]);
    await visit(site, '2026-11-13T10:00:00Z');
    asked.mockClear();
    expect(resultsOf(await ask(body))).toEqual([]);
    expect(asked).not.toHaveBeenCalled();
    await visit(site, '2026-11-12T10:00:00Z');
    expect(resultsOf(await ask(body))).toEqual([{ dimensions: ['Direct / None'], metrics: [1, 1] }]);
  });

  it('means what segments and the zone of the site make of it now', async () => {
    const operator = { key: OPERATOR_KEY };
    const path = `/v1/sites/${site}`;
    const made = async (kind: string, body: object): Promise<string> => {
      const { status, body: definition } = await plane.call('POST', `${path}/${kind}`, { body });
      expect(status).toBe(201);
      return definition.id;
    };
    const segment = await made('segments', { name: 's', filters: [['is', 'visit:source', ['Nowhere']]] });
    const body = { ...VISITS, filters: [['is', 'segment', [segment]]] };
    expect(resultsOf(await known(body, operator))).toEqual([]);
    const changed = { filters: [['is', 'visit:source', ['Direct / None']]] };
    expect((await plane.call('PATCH', `${path}/segments/${segment}`, { body: changed })).status).toBe(200);
    expect(resultsOf(await ask(body, operator))).toHaveLength(1);

    const atNight = { ...VISITS, date_range: ['2026-11-09', '2026-11-09'] };
    expect(resultsOf(await known(atNight, operator))).toEqual([]);
    await plane.call('PATCH', path, { body: { timezone: 'America/Los_Angeles' } });
    await visit(site, `${DAY}T02:00:00Z`);
    expect(resultsOf(await ask(atNight, operator))).toHaveLength(1);
    await plane.call('PATCH', path, { body: { timezone: 'UTC' } });
    expect(resultsOf(await ask(atNight, operator))).toEqual([]);
  });

  it('lacks what is hidden because of a quota from then on, says so, and is whole again once it is shown', async () => {
    const quota = '/admin/v1/merchants/default/quota';
    await plane.call('PUT', quota, { body: { eventsPerMonth: 5, policy: 'hide' } });
    const whole = await known(VISITS);
    const hidden = { from: `${DAY}T00:00:00.000Z`, to: '2026-12-01T00:00:00.000Z' };
    const store = plane.app.get(EventStore, { strict: false });
    const revisions: number[] = [];
    for await (const { revision } of store.readStream(quotaStream('default'))) revisions.push(revision);
    const data = {
      ...{ merchant: 'default', month: '2026-11', policy: 'hide', ...hidden },
      ...{ samplePercent: null, eventsMax: 5, events: 5 },
    };
    await store.append(quotaStream('default'), [{ type: 'QuotaExceeded', data }], revisions.at(-1)!);
    await plane.app.get(DirectoryFollower).settle();
    for (const answer of [await ask(VISITS), await known(VISITS)]) {
      expect(resultsOf(answer)).toEqual([]);
      expect(JSON.parse(answer.payload).meta.incomplete).toEqual([{ ...hidden, policy: 'hide' }]);
    }
    await plane.call('POST', `${quota}/reveal`, { body: { month: '2026-11' } });
    for (const answer of [await ask(VISITS), await known(VISITS)]) {
      expect(resultsOf(answer)).toEqual(resultsOf(whole));
      expect(answer.headers.etag).toBe(whole.headers.etag);
    }
  });

  it('counts for each visitor of a shared link, too', async () => {
    await known(VISITS);
    const link = await plane.call('POST', `/v1/sites/${site}/shared-links`, { body: { name: 'l' } });
    const shared = `/v1/shared/${link.body.token}/session`;
    const { body } = await plane.call('POST', shared, { key: null, body: {} });
    // Beginning was a request, too.
    for (let left = VISITOR_REQUESTS_MAX - 2; left >= 0; left--) {
      const { statusCode, headers } = await ask(VISITS, { key: body.access_token });
      expect([statusCode, headers['ratelimit-limit'], headers['ratelimit-remaining']]).toEqual([
        200,
        `${VISITOR_REQUESTS_MAX}`,
        `${left}`,
      ]);
    }
    expect((await ask(VISITS, { key: body.access_token })).statusCode).toBe(429);
  });

  it('is answered by the version that serves', async () => {
    const { pool } = side.postgres;
    expect(resultsOf(await known(VISITS))).toHaveLength(1);
    for (const table of ['sessions', 'traffic', 'changed_periods']) {
      await pool.query(`CREATE TABLE ${table}_v2 (LIKE ${table}_v1 INCLUDING ALL)`);
      await pool.query(rowSecuritySql(`${table}_v2`));
    }
    jest.spyOn(plane.app.get(Serving), 'versionFor').mockReturnValue(2);
    expect(resultsOf(await ask(VISITS))).toEqual([]);
  });

  it('counts as a request, on all nodes together', async () => {
    await known(VISITS);
    await ask(VISITS, { on: other });
    const startedMs = performance.now();
    let admitted = 3;
    let last = REQUESTS_MAX;
    for (let time = 0; time < 2 * REQUESTS_MAX; time++) {
      const { statusCode, headers } = await ask(VISITS, { on: time % 2 === 0 ? plane : other });
      if (statusCode === 200) admitted++;
      else expect([statusCode, Number(headers['retry-after'])]).toEqual([429, expect.any(Number)]);
      last = Number(headers['ratelimit-remaining']);
    }
    const refilled = Math.ceil(((performance.now() - startedMs) * REQUESTS_MAX) / 60_000);
    expect(admitted).toBeLessThanOrEqual(REQUESTS_MAX + refilled + 1);
    expect(admitted).toBeGreaterThan(REQUESTS_MAX - 5);
    expect(last).toBeLessThan(5);
  });

  it('is one of a bounded number, and not one of any length', async () => {
    const repeated = plane.app.get(RepeatedQuestions);
    const long = { ...VISITS, filters: [['is', 'visit:source', ['x'.repeat(20_000)]]] };
    const sizeBefore = repeated.size;
    await ask(long);
    expect(repeated.size).toBe(sizeBefore);
    const remember = jest.spyOn(repeated, 'remember');
    await ask({ ...VISITS, pagination: { limit: 7 } });
    const [{ request }, what] = remember.mock.calls[0]!;
    for (let n = 0; n < 100_000; n++) repeated.remember({ request, text: `${n}`.padStart(400) }, what);
    expect(repeated.size).toBeLessThanOrEqual(25_000);
    expect(repeated.size).toBeGreaterThan(10_000);
  });
});
