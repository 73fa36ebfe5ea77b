// GET /v1/sites/{site}/realtime as the api role serves it: real modules, real PostgreSQL, real connections.
import { get, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type NaiveRealtime, naiveRealtime } from '../../../../test/naive-realtime.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  createReadModels,
  type GivenSession,
  insertSessions,
  setCheckpoints,
} from '../../../../test/read-model-rows.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { closeHttp } from '../../../http/http-server.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { QueryModule } from '../query.module.js';

const HOUR_MS = 3_600_000;
const PATIENCE_MS = 20_000;
const environment = {
  OPERATOR_KEY,
  KEY_PEPPER: 'a pepper that all nodes of the test are given',
  REALTIME_STREAMS_PER_KEY_MAX: '1001',
};

let postgres: MigratedPostgres;
let plane: ControlPlane;
let stopping: ControlPlane;
let impatient: ControlPlane;
let port: number;
let site: string;
let reader: string;

const startedAt = Date.now();
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  const start = (more = {}) =>
    startControlPlane(postgres.pool, { environment: { ...environment, ...more }, modules: [QueryModule] });
  plane = await start();
  stopping = await start();
  impatient = await start({ QUERY_TIMEOUT_MS: '300' });
  await plane.app.listen(0, '127.0.0.1');
  port = (plane.app.getHttpServer().address() as AddressInfo).port;
  // In place of those that the module made.
  await createReadModels(postgres.pool);
  await setCheckpoints(postgres.pool, '1', [new Date(startedAt), new Date(startedAt - 2_000)]);
  site = await createSite('shop.example');
  reader = await keyFor(site);
  sessions = [
    ...randomSessions({
      seed: 31,
      site,
      count: 500,
      from: startedAt - 2.6 * HOUR_MS,
      to: startedAt + 300_000,
    }),
    ...randomSessions({ seed: 32, site: 'another', count: 50, from: startedAt - HOUR_MS, to: startedAt }),
    ...[3, 20, 47.9].map((hours, index) => longSession(BigInt(-1 - index), hours)),
  ];
  await insertSessions(postgres.pool, sessions);
}, 120_000);
afterAll(async () => {
  for (const running of [plane, stopping, impatient]) await running?.close();
  await postgres.stop();
});

/** Whose last event was four minutes ago. */
const longSession = (visitor: bigint, hours: number): GivenSession => ({
  site,
  visitor,
  events: [{ at: startedAt - hours * HOUR_MS }, { at: startedAt - 240_000, page: '/long' }],
});

const createSite = async (domain: string): Promise<string> =>
  (await plane.call('POST', '/v1/sites', { body: { domain } })).body.id;
const keyFor = async (of: string, scope = 'stats:read'): Promise<string> =>
  (await plane.call('POST', `/v1/sites/${of}/keys`, { body: { name: 'k', scopes: [scope] } })).body.key;
const poll = (of = site, options: Parameters<ControlPlane['call']>[2] = {}) =>
  plane.call('GET', `/v1/sites/${of}/realtime`, { key: reader, ...options });

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It never held.');
    await sleep(10);
  }
}

interface Watching {
  readonly answer: IncomingMessage;
  readonly heard: () => string;
  readonly events: () => readonly { readonly id: string; readonly data: NaiveRealtime }[];
}

async function watch(of: string, { key = reader, headers = {} } = {}): Promise<Watching> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(
      {
        ...{ port, host: '127.0.0.1', path: `/v1/sites/${of}/realtime`, agent: false },
        headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
      },
      resolve,
    ).once('error', reject);
  });
  let heard = '';
  answer.setEncoding('utf8');
  answer.on('data', (chunk: string) => (heard += chunk));
  answer.on('error', () => {});
  const events = () =>
    [...heard.matchAll(/^id: (.+)\ndata: (.+)\n\n/gm)].map(([, id, data]) => ({
      id: id!,
      data: JSON.parse(data!) as NaiveRealtime,
    }));
  return { answer, events, heard: () => heard };
}

const openStreams = async (): Promise<number> => {
  const text = await plane.app.get(Telemetry).registry.metrics();
  return Number(/^tidemark_query_realtime_streams (\d+)$/m.exec(text)![1]);
};

async function leave(...watching: readonly Watching[]): Promise<void> {
  for (const { answer } of watching) answer.destroy();
  await until(async () => (await openStreams()) === 0);
}

describe('the numbers', () => {
  it('are those of plain counting', async () => {
    const { status, body } = await poll();
    expect(status).toBe(200);
    const { meta, ...numbers } = body;
    expect(numbers).toEqual(naiveRealtime(sessions, site, Date.parse(meta.at)));
    expect(numbers.visitors).toBeGreaterThan(3);
    expect(numbers.pages).toContainEqual({ page: '/long', visitors: 3, pageviews: 3, events: 3 });
    expect(meta).toMatchObject({
      watermark: new Date(startedAt - 2_000).toISOString(),
      projection: 'sessions@1',
      lag_ms: expect.any(Number),
    });
  });

  it('are those of a query for the same time', async () => {
    const { body } = await poll();
    const at = Date.parse(body.meta.at);
    const ask = async (dimensions: readonly string[]) => {
      const answer = await plane.call('POST', `/v1/sites/${site}/query`, {
        key: reader,
        body: {
          metrics: ['visitors', 'pageviews', 'events'],
          date_range: [body.minutes[0].minute, new Date(at + 1).toISOString()],
          dimensions,
          order_by: [
            ['visitors', 'desc'],
            ['pageviews', 'desc'],
          ],
          pagination: { limit: 10 },
        },
      });
      return answer.body.results;
    };
    const rows = (panel: readonly Record<string, unknown>[], name: string) =>
      panel.map((row) => ({
        dimensions: [row[name]],
        metrics: [row.visitors, row.pageviews, row.events],
      }));
    expect(await ask(['event:page'])).toEqual(rows(body.pages, 'page'));
    expect(await ask(['visit:source'])).toEqual(rows(body.sources, 'source'));
    expect(await ask(['visit:country'])).toEqual(rows(body.countries, 'country'));
    expect(await ask(['visit:device'])).toEqual(rows(body.devices, 'device'));
    expect(await ask([])).toEqual([{ dimensions: [], metrics: Object.values(body.last_30_minutes) }]);
  });

  it('are zeros for a site where nothing happened', async () => {
    const { body } = await poll(await createSite('silent.example'), { key: OPERATOR_KEY });
    const { meta, ...numbers } = body;
    expect(numbers).toEqual(naiveRealtime([], 'silent', Date.parse(meta.at)));
    expect(body.minutes).toHaveLength(30);
  });

  it('have an ETag, and answer 304 to it while they are the same', async () => {
    const quiet = await createSite('quiet.example');
    const again = async () => {
      const { headers } = await poll(quiet, { key: OPERATOR_KEY });
      const etag = headers.etag as string;
      return (await poll(quiet, { key: OPERATOR_KEY, headers: { 'if-none-match': etag } })).status;
    };
    // Between the two a minute may end.
    expect([await again(), await again()]).toContain(304);
  });
});

describe('a stream', () => {
  it('says the numbers at once, and again when they have changed', async () => {
    const busy = await createSite('busy.example');
    const watching = await watch(busy, { key: OPERATOR_KEY });
    expect(watching.answer.statusCode).toBe(200);
    expect(watching.answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    await until(() => watching.events().length > 0);
    expect(watching.heard()).toMatch(/^retry: [1-5]\d{3}\n\n/);
    expect(watching.events()[0]!.data.visitors).toBe(0);
    const seen = { site: busy, visitor: 77n, events: [{ at: Date.now(), page: '/new' }] };
    await insertSessions(postgres.pool, [seen]);
    await until(() => watching.events().at(-1)!.data.visitors === 1);
    const { data, id } = watching.events().at(-1)!;
    expect(data.pages).toEqual([{ page: '/new', visitors: 1, pageviews: 1, events: 1 }]);
    expect(new Set(watching.events().map((event) => event.id)).size).toBe(watching.events().length);

    const back = await watch(busy, { key: OPERATOR_KEY, headers: { 'last-event-id': id } });
    const fresh = await watch(busy, { key: OPERATOR_KEY });
    await until(() => fresh.events().length > 0);
    const latest = fresh.events()[0]!.id;
    expect(back.events().map((event) => event.id)).toEqual(latest === id ? [] : [latest]);
    await leave(watching, back, fresh);
  });

  it('costs the database the same for a thousand watchers as for one, and nothing for none', async () => {
    const crowd = await createSite('crowd.example');
    const key = await keyFor(crowd);
    const join = () => watch(crowd, { key });
    const spy = jest.spyOn(Client.prototype, 'query');
    const statements = () => spy.mock.calls.filter(([text]) => text.includes('sessions_v1')).length;
    const beats = async (watching: readonly Watching[]) => {
      const [countBefore, at] = [statements(), performance.now()];
      await sleep(3_000);
      const made = statements() - countBefore;
      // A second each, and one that was due.
      expect(made).toBeLessThanOrEqual((performance.now() - at) / 1_000 + 1);
      expect(watching.every(({ events }) => events().length > 0)).toBe(true);
      return made;
    };
    const one = await join();
    await until(() => one.events().length > 0);
    const forOne = await beats([one]);
    const thousand = await Promise.all(Array.from({ length: 1_000 }, () => join()));
    await until(() => thousand.every(({ events }) => events().length > 0));
    const forAll = await beats(thousand);
    expect(forOne).toBeGreaterThan(1);
    expect(forAll).toBeLessThanOrEqual(forOne + 1);

    const before = thousand.map(({ events }) => events().length);
    await insertSessions(postgres.pool, [{ site: crowd, visitor: 1n, events: [{ at: Date.now() }] }]);
    await until(() => thousand.every(({ events }, index) => events().length > before[index]!));
    const last = thousand.map(({ events }) => events().at(-1)!.id);
    expect(new Set(last).size).toBeLessThanOrEqual(2);

    const refused = await join();
    expect([refused.answer.statusCode, refused.answer.headers['retry-after']]).toEqual([429, '10']);
    await leave(one, ...thousand);
    const left = statements();
    await sleep(2_500);
    expect(statements() - left).toBeLessThanOrEqual(1);
    spy.mockRestore();
  }, 60_000);

  it('and polling share what is computed', async () => {
    const spy = jest.spyOn(Client.prototype, 'query');
    const [at, watching] = [performance.now(), await watch(site)];
    for (let n = 0; n < 100; n++) expect((await poll()).status).toBe(200);
    const made = spy.mock.calls.filter(([text]) => text.includes('sessions_v1')).length;
    expect(made).toBeLessThanOrEqual((performance.now() - at) / 1_000 + 1);
    spy.mockRestore();
    await leave(watching);
  });

  it('ends when its key is revoked', async () => {
    const { body } = await plane.call('POST', `/v1/sites/${site}/keys`, {
      body: { name: 'k', scopes: ['stats:read'] },
    });
    const watching = await watch(site, { key: body.key });
    const other = await watch(site);
    await plane.call('DELETE', `/v1/sites/${site}/keys/${body.id}`);
    await until(() => watching.answer.complete);
    expect(other.answer.complete).toBe(false);
    expect((await watch(site, { key: body.key })).answer.statusCode).toBe(401);
    await leave(other);
  });

  it('ends when its site is deleted', async () => {
    const leaving = await createSite('leaving.example');
    const watching = await watch(leaving, { key: OPERATOR_KEY });
    await plane.call('DELETE', `/v1/sites/${leaving}`);
    await until(() => watching.answer.complete);
    expect((await watch(leaving, { key: OPERATOR_KEY })).answer.statusCode).toBe(404);
    await leave();
  });

  it('leaves nothing behind when the client goes, even before the first numbers', async () => {
    const caller = await postgres.pool.connect();
    await caller.query('BEGIN; LOCK TABLE sessions_v1 IN ACCESS EXCLUSIVE MODE');
    const hasty = request({
      ...{ port, host: '127.0.0.1', path: `/v1/sites/${site}/realtime` },
      headers: { authorization: `Bearer ${reader}`, accept: 'text/event-stream' },
    });
    hasty.on('error', () => {}).end();
    await sleep(1_200);
    hasty.destroy();
    await caller.query('ROLLBACK');
    caller.release();
    const staying = await watch(site);
    await until(() => staying.events().length > 0);
    await until(async () => (await openStreams()) === 1);
    await leave(staying);
  });

  it('is not opened by HEAD, which nobody would close', async () => {
    const answer = await plane.app.inject({
      method: 'HEAD',
      url: `/v1/sites/${site}/realtime`,
      headers: { authorization: `Bearer ${reader}`, accept: 'text/event-stream' },
    });
    expect([answer.statusCode, answer.payload]).toEqual([200, '']);
    expect(await openStreams()).toBe(0);
  });

  it('ends at once when the node stops', async () => {
    await stopping.app.listen(0, '127.0.0.1');
    const here = port;
    port = (stopping.app.getHttpServer().address() as AddressInfo).port;
    const watching = await Promise.all([1, 2, 3].map(() => watch(site, { key: OPERATOR_KEY })));
    port = here;
    const at = performance.now();
    await closeHttp(stopping.app, { graceMs: 10_000 });
    expect(performance.now() - at).toBeLessThan(5_000);
    await until(() => watching.every(({ answer }) => answer.complete));
  });
});

it('refuses whoever has no key for the site, however it is asked', async () => {
  const path = `/v1/sites/${site}/realtime`;
  expect((await plane.call('GET', path, { key: null })).status).toBe(401);
  expect((await plane.call('GET', `${path}?key=${reader}`, { key: null })).status).toBe(401);
  expect((await poll(site, { key: await keyFor(site, 'ingest') })).status).toBe(403);
  const other = await createSite('other.example');
  for (const accept of ['application/json', 'text/event-stream']) {
    const headers = { accept };
    const answers = await Promise.all([other, 'nowhere'].map((name) => poll(name, { headers })));
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(answers[0]!.body).toEqual(answers[1]!.body);
  }
});

it('is 503 and not a hanging request while the numbers take too long', async () => {
  const caller = await postgres.pool.connect();
  await caller.query('BEGIN; LOCK TABLE sessions_v1 IN ACCESS EXCLUSIVE MODE');
  for (const accept of ['application/json', 'text/event-stream']) {
    const headers = { accept };
    const answer = await impatient.call('GET', `/v1/sites/${site}/realtime`, { headers });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '10']);
  }
  await caller.query('ROLLBACK');
  caller.release();
});
