// Requests sent again under one Idempotency-Key, on a real PostgreSQL. That of a process that was killed
// in between: test/crash/repeated-requests.e2e.spec.ts.
import { randomUUID } from 'node:crypto';
import { type Answer, type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { EventStoreUnavailableError } from '../../../event-store/event-store-unavailable.error.js';
import { SavedModule } from '../../query/saved/saved.module.js';
import { RepeatableRequests } from './repeatable-requests.js';

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: string;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, { modules: [SavedModule] });
  site = (await plane.call('POST', '/v1/sites', { body: { domain: 'repeat.example' } })).body.id;
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await postgres.pool.query('TRUNCATE repeatable_requests');
});

interface Sent {
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
  readonly key?: string;
}

const send = ({ path, body, idempotencyKey = 'the-key', key }: Sent): Promise<Answer> =>
  plane.call('POST', path, {
    ...(body && { body }),
    ...(key !== undefined && { key }),
    headers: { 'idempotency-key': idempotencyKey },
  });

/** What a process leaves that died after its command and before the answer was kept. */
const forgetAnswers = () =>
  postgres.pool.query('UPDATE repeatable_requests SET answer = NULL, until = now()');
const eventsNow = async () =>
  Number((await postgres.pool.query('SELECT count(*) FROM event_store.events')).rows[0].count);
const shownHeaders = ({ headers }: Answer) => [headers['etag'], headers['location']];

const REQUESTS: readonly [string, () => Promise<{ path: string; body: object }>][] = [
  [
    'a site',
    async () => ({
      path: '/v1/sites',
      body: { domain: `${randomUUID()}.example`, trackingIds: [randomUUID()] },
    }),
  ],
  [
    'a key of a site',
    async () => ({ path: `/v1/sites/${site}/keys`, body: { name: 'k', scopes: ['ingest'] } }),
  ],
  ['a key', async () => ({ path: '/v1/keys', body: { name: 'k', scopes: ['stats:read'] } })],
  [
    'the rotation of a key',
    async () => {
      const { id } = (await plane.call('POST', '/v1/keys', { body: { name: 'k', scopes: ['stats:read'] } }))
        .body;
      return { path: `/v1/keys/${id}/rotate`, body: { overlapSeconds: 60 } };
    },
  ],
  [
    'a goal',
    async () => ({ path: `/v1/sites/${site}/goals`, body: { name: randomUUID(), eventName: 'Signup' } }),
  ],
];

describe.each(REQUESTS)('%s', (_, make) => {
  it('is made once, and each repetition gets the same answer', async () => {
    const sent = await make();
    const first = await send(sent);
    const events = await eventsNow();
    const second = await send(sent);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(shownHeaders(second)).toEqual(shownHeaders(first));
    expect(first.headers['location']).toContain(first.body.id);
    expect([first, second].map(({ headers }) => headers['idempotency-replayed'])).toEqual([
      undefined,
      'true',
    ]);
    expect(await eventsNow()).toBe(events);
  });

  it('is made once by any number of requests at once', async () => {
    const sent = await make();
    const before = await eventsNow();
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(sent)));
    const made = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status }) => status === 409);
    expect(made.length).toBeGreaterThan(0);
    expect(made.length + waiting.length).toBe(8);
    expect(new Set(made.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    for (const { body, headers } of waiting) {
      expect([body.type, headers['retry-after']]).toEqual(['/problems/request-under-way', '1']);
    }
    const events = (await eventsNow()) - before;
    expect((await send(sent)).body).toEqual(made[0]!.body);
    // The claims on the domain and the tracking id, and the end of the key that was rotated.
    const besides = sent.path === '/v1/sites' ? 2 : sent.path.endsWith('/rotate') ? 1 : 0;
    expect(events).toBe(1 + besides);
  });

  it('is made once though the first answer was lost with its process', async () => {
    const sent = await make();
    const first = await send(sent);
    const events = await eventsNow();
    await forgetAnswers();
    const second = await send(sent);
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers['idempotency-replayed']).toBeUndefined();
    expect(await eventsNow()).toBe(events);
  });
});

const body = { name: 'k', scopes: ['stats:read'] };
const path = '/v1/keys';

it('another body, or another path, under the same key is refused', async () => {
  expect((await send({ path, body })).status).toBe(201);
  const other = await send({ path, body: { ...body, name: 'other' } });
  expect([other.status, other.body.type]).toEqual([422, '/problems/idempotency-key-reused']);
  const ofSite = { path: `/v1/sites/${site}/keys`, body };
  expect((await send(ofSite)).status).toBe(201);
  expect((await send({ ...ofSite, path: '/v1/sites/repeat.example/keys' })).status).toBe(422);
});

it('a dead attempt is carried on by the same request only', async () => {
  await send({ path, body });
  await forgetAnswers();
  expect((await send({ path, body: { ...body, name: 'other' } })).status).toBe(422);
  expect((await send({ path, body })).status).toBe(201);
});

it('the same key of another caller is another key', async () => {
  const issue = async () =>
    (await plane.call('POST', path, { body: { name: 'a', scopes: ['sites:admin', 'stats:read'] } })).body.key;
  const [one, two] = [
    await send({ path, body, key: await issue() }),
    await send({ path, body, key: await issue() }),
  ];
  expect([one.status, two.status]).toEqual([201, 201]);
  expect(one.body.id).not.toBe(two.body.id);
});

it('quotes around a key do not matter, and what is no key is refused', async () => {
  const first = await send({ path, body, idempotencyKey: '"quoted"' });
  expect((await send({ path, body, idempotencyKey: 'quoted' })).body).toEqual(first.body);
  expect((await send({ path, body, idempotencyKey: 'two words' })).status).toBe(400);
  expect((await send({ path, body, idempotencyKey: 'x'.repeat(256) })).status).toBe(400);
});

it('what was refused can be corrected and sent again under the same key', async () => {
  expect((await send({ path, body: { name: 'k' } })).status).toBe(400);
  expect((await send({ path, body })).status).toBe(201);
});

it('a failure is not kept, and nothing is made twice by trying again', async () => {
  const store = plane.app.get<EventStore>(EventStore);
  const append = store.append.bind(store);
  jest.spyOn(store, 'append').mockImplementationOnce(async (...given) => {
    await append(...given);
    throw new EventStoreUnavailableError('The connection broke before the answer.');
  });
  const before = await eventsNow();
  expect((await send({ path, body })).status).toBe(503);
  const again = await send({ path, body });
  expect(again.status).toBe(201);
  expect(await eventsNow()).toBe(before + 1);
  const listed = await plane.call('GET', `/v1/keys/${again.body.id}`, { key: again.body.key });
  expect(listed.status).toBe(403); // good, and only for stats
});

it('an answer is kept for a day', async () => {
  const first = await send({ path, body });
  const age = (hours: number) =>
    postgres.pool.query(`UPDATE repeatable_requests SET created_at = now() - $1 * interval '1 hour'`, [
      hours,
    ]);
  const requests = plane.app.get(RepeatableRequests);
  await age(23);
  await requests.reap();
  expect((await send({ path, body })).body).toEqual(first.body);
  await age(25);
  expect((await send({ path, body })).body.id).not.toBe(first.body.id);
  await age(25);
  await requests.reap();
  expect((await postgres.pool.query('SELECT FROM repeatable_requests')).rows).toEqual([]);
});

it('holds neither what was asked nor what was answered for whoever reads the table', async () => {
  const { body: made } = await send({ path, body: { ...body, name: 'a telling name' } });
  const { rows } = await postgres.pool.query('SELECT * FROM repeatable_requests');
  const text = rows
    .flatMap((row) => Object.values(row))
    .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)));
  expect(rows).toHaveLength(1);
  for (const secret of ['the-key', 'a telling name', made.key, made.id]) {
    expect(text.join(' ')).not.toContain(secret);
  }
});

it('is revoked for whoever sends the request of a key again that was revoked', async () => {
  const { body: made } = await send({ path, body });
  await plane.call('DELETE', `/v1/keys/${made.id}`);
  await forgetAnswers();
  expect((await send({ path, body })).status).toBe(409);
});

it('an attempt that was slower than its deadline does not disturb the one that took over', async () => {
  const requests = plane.app.get(RepeatableRequests);
  const [name, request] = [Buffer.from('n'), Buffer.from('r')];
  const slow = await requests.claim({ name, request });
  expect(await requests.claim({ name, request })).toEqual({ outcome: 'under-way' });
  await forgetAnswers();
  const quick = await requests.claim({ name, request });
  if (slow.outcome !== 'claimed' || quick.outcome !== 'claimed') throw new Error('Both were claimed.');
  expect(quick.claim.salt).toEqual(slow.claim.salt);
  expect([slow.claim.isFirst, quick.claim.isFirst]).toEqual([true, false]);
  await requests.forget(slow.claim);
  await requests.giveUp(slow.claim);
  await requests.keep(slow.claim, Buffer.from('slow'));
  expect(await requests.claim({ name, request })).toEqual({ outcome: 'under-way' });
  await requests.keep(quick.claim, Buffer.from('quick'));
  await requests.keep(slow.claim, Buffer.from('slow'));
  expect(await requests.claim({ name, request })).toEqual({
    outcome: 'answered',
    answer: Buffer.from('quick'),
  });
});
