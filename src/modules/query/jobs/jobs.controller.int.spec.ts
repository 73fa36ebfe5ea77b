// Jobs over HTTP as the api role serves them: asked for, looked at, fetched in parts, cancelled, removed,
// expired; and nobody else's.
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createReadModels, insertSessions, setCheckpoints } from '../../../../test/read-model-rows.js';
import {
  type Answer,
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { QueryModule } from '../query.module.js';
import { REPORTS } from '../reporting/report-list.js';

const DAY = '2026-11-10';
const ASYNC = { prefer: 'respond-async' };
const QUERY = { metrics: ['visits', 'pageviews'], date_range: [DAY, DAY], dimensions: ['visit:source'] };
const EXPORT = { what: 'events', date_range: [DAY, DAY] };

let postgres: MigratedPostgres;
let plane: ControlPlane;
let site: string;
let other: string;
let reader: string;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: {
      ...{ OPERATOR_KEY, QUERY_TIMEOUT_MS: '1000', JOB_QUERY_TIMEOUT_MS: '8000' },
      ...{ JOBS_WAITING_PER_SITE_MAX: '3', JOB_RESULT_BYTES_MAX: '200000', JOBS_RUNNING_MAX: '1' },
    },
    modules: [QueryModule],
  });
  await createReadModels(postgres.pool);
  await setCheckpoints(postgres.pool, '1', [new Date(), new Date()]);
  const create = async (domain: string) =>
    (await plane.call('POST', '/v1/sites', { body: { domain } })).body.id as string;
  [site, other] = [await create('shop.example'), await create('other.example')];
  reader = await keyFor(['stats:read']);
  const at = Date.parse(`${DAY}T10:00:00Z`);
  await insertSessions(
    postgres.pool,
    Array.from({ length: 60 }, (_, number) => ({
      site,
      visitor: BigInt(number),
      events: ['/', '/pricing', '/cart', 'Checkout', 'Order'].map((what, minute) => ({
        at: at + number * 1_000 + minute * 60_000,
        ...(what.startsWith('/') ? { page: what } : { name: what }),
      })),
      about: { source: number % 2 === 0 ? '=cmd()' : 'Google' },
    })),
  );
});
afterAll(async () => {
  await plane?.close();
  await postgres?.stop();
});

const keyFor = async (scopes: readonly string[]) =>
  (await plane.call('POST', `/v1/sites/${site}/keys`, { body: { name: 'k', scopes } })).body.key as string;

type Headers = Readonly<Record<string, string>>;
const post = (path: string, body: unknown, headers: Headers = {}) =>
  plane.call('POST', `/v1/sites/${site}/${path}`, { key: reader, body, headers });

/** As bytes, whatever they are. */
const fetchRaw = (
  url: string,
  headers: Headers = {},
  method: 'GET' | 'HEAD' | 'POST' = 'GET',
  payload?: object,
) =>
  plane.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${reader}`, ...headers },
    ...(payload && { payload }),
  });

async function whenOver(location: string): Promise<Answer['body']> {
  for (;;) {
    const { body, headers } = await plane.call('GET', location, { key: reader });
    if (body.state !== 'queued' && body.state !== 'running') return body;
    expect(headers['retry-after']).toBe('2');
    await delay(20);
  }
}

async function jobOf(path: string, body: unknown, headers: Headers = {}): Promise<Answer['body']> {
  const accepted = await post(path, body, headers);
  expect(accepted.status).toBe(202);
  expect(accepted.body.id).toBe((accepted.headers.location as string).split('/').at(-1));
  return whenOver(accepted.headers.location as string);
}

/** While nobody can read a session. */
async function withoutFacts<T>(work: () => Promise<T>): Promise<T> {
  const caller = await postgres.pool.connect();
  await caller.query('BEGIN; LOCK TABLE sessions_v1 IN ACCESS EXCLUSIVE MODE');
  try {
    return await work();
  } finally {
    await caller.query('ROLLBACK');
    caller.release();
  }
}

const REPORT_BODIES = REPORTS.map(({ name, examples }): [string, object] => [
  `${name}/query`,
  { ...Object.values(examples)[0]!.value, date_range: [DAY, DAY] },
]);

describe('a question with Prefer: respond-async', () => {
  it.each([['query', QUERY] as [string, object], ...REPORT_BODIES])(
    '%s is answered as it would have been at once',
    async (path, body) => {
      const url = `/v1/sites/${site}/${path}`;
      for (const accept of ['application/json', 'text/csv']) {
        const atOnce = await fetchRaw(url, { accept }, 'POST', body);
        const job = await jobOf(path, body, { ...ASYNC, accept });
        expect([job.state, job.request]).toEqual(['done', body]);
        const later = await fetchRaw(job.result.href);
        expect(later.headers['content-type']).toBe(atOnce.headers['content-type']);
        const withoutLag = (text: string) => text.replace(/"lag_ms":\d+/, '"lag_ms":0');
        expect(withoutLag(later.payload)).toBe(withoutLag(atOnce.payload));
        expect(later.payload.length).toBeGreaterThan(20);
      }
    },
  );

  it('is told that its preference was applied, and no other is', async () => {
    expect((await post('query', QUERY, ASYNC)).headers['preference-applied']).toBe('respond-async');
    const atOnce = await post('query', QUERY, { prefer: 'return=minimal' });
    expect([atOnce.status, atOnce.headers['preference-applied']]).toEqual([200, undefined]);
    await allOver();
  });

  it.each<[string, string, object, number]>([
    ['an unknown metric', 'query', { ...QUERY, metrics: ['x'] }, 400],
    ['a day that there is not', 'query', { ...QUERY, date_range: ['2026-02-30', '2026-03-01'] }, 400],
    ['too many buckets', 'query', { ...QUERY, date_range: '12mo', dimensions: ['time:minute'] }, 422],
    ['a funnel without steps', 'funnels/query', { date_range: '7d' }, 400],
  ])('is refused at once for %s, exactly as without', async (_, path, body, status) => {
    const [plain, later] = [await post(path, body), await post(path, body, ASYNC)];
    expect([plain.status, later.status]).toEqual([status, status]);
    expect(later.body).toEqual(plain.body);
  });

  it('may take longer than one at once', async () => {
    const body = { ...QUERY, date_range: ['2026-11-11', '2026-11-11'] };
    const { atOnce, accepted } = await withoutFacts(async () => {
      const accepted = await post('query', body, ASYNC);
      return { atOnce: await post('query', body), accepted };
    });
    expect(atOnce.status).toBe(422);
    expect((await whenOver(accepted.headers.location as string)).state).toBe('done');
  });
});

/** Waits, so that the next test finds room. */
async function allOver(): Promise<void> {
  const { body } = await plane.call('GET', `/v1/sites/${site}/jobs`, { key: reader });
  for (const { id } of body.jobs) await whenOver(`/v1/sites/${site}/jobs/${id}`);
}

describe('a result', () => {
  let job: Answer['body'];
  let bytes: Buffer;
  let etag: string;
  beforeAll(async () => {
    job = await jobOf('exports', EXPORT);
    const whole = await fetchRaw(job.result.href);
    bytes = whole.rawPayload;
    etag = whole.headers.etag as string;
  });

  it('comes whole, with its length, name and digest', async () => {
    const { statusCode, headers } = await fetchRaw(job.result.href);
    const sha256 = createHash('sha256').update(bytes);
    expect([statusCode, job.result.sha256]).toEqual([200, sha256.copy().digest('hex')]);
    expect(headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="${job.id}.ndjson"`,
      'repr-digest': `sha-256=:${sha256.digest('base64')}:`,
      'last-modified': new Date(job.finished_at).toUTCString(),
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    });
    expect([job.result.bytes, job.result.rows]).toEqual([bytes.length, 300]);
  });

  it('goes on at any byte where a download broke off', async () => {
    for (const from of [1, 511, 4_096, bytes.length - 1]) {
      const rest = await fetchRaw(job.result.href, { range: `bytes=${from}-`, 'if-range': etag });
      expect([rest.statusCode, rest.headers['content-range'], rest.headers['content-length']]).toEqual([
        206,
        `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
        String(bytes.length - from),
      ]);
      expect(Buffer.concat([bytes.subarray(0, from), rest.rawPayload]).equals(bytes)).toBe(true);
    }
  });

  it('gives a range, no more than it has, and all of it to who has a part of another', async () => {
    const range = async (headers: Headers) => {
      const { statusCode, rawPayload, headers: said } = await fetchRaw(job.result.href, headers);
      return [statusCode, rawPayload.toString(), said['content-range']];
    };
    const end = bytes.length;
    expect(await range({ range: 'bytes=2-5' })).toEqual([
      206,
      bytes.toString('utf8', 2, 6),
      `bytes 2-5/${end}`,
    ]);
    expect((await range({ range: 'bytes=-3' }))[1]).toBe(bytes.toString('utf8', end - 3));
    expect(await range({ range: 'bytes=2-5', 'if-range': '"other"' })).toEqual([
      200,
      bytes.toString(),
      undefined,
    ]);
    const beyond = await fetchRaw(job.result.href, { range: `bytes=${end}-` });
    expect([beyond.statusCode, beyond.headers['content-range'], beyond.json().type]).toEqual([
      416,
      `bytes */${end}`,
      '/problems/range-not-satisfiable',
    ]);
  });

  it('is not sent to who has it, nor to who asks for its headers', async () => {
    expect((await fetchRaw(job.result.href, { 'if-none-match': etag })).statusCode).toBe(304);
    const head = await fetchRaw(job.result.href, {}, 'HEAD');
    expect([head.statusCode, head.headers['content-length'], head.rawPayload.length]).toEqual([
      200,
      String(bytes.length),
      0,
    ]);
  });

  it('is not there while its job waits or runs: 409; and can be cancelled then', async () => {
    await withoutFacts(async () => {
      const running = (await post('exports', EXPORT)).body.id;
      const queued = (await post('exports', EXPORT)).body.id;
      await until(async () => (await state(running)) === 'running');
      for (const id of [running, queued]) {
        const { status, body, headers } = await call('GET', `jobs/${id}/result`);
        expect([status, body.type, headers['retry-after']]).toEqual([409, '/problems/job-not-done', '2']);
      }
      const cancelled = await call('DELETE', `jobs/${queued}`);
      expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled']);
      expect((await call('DELETE', `jobs/${running}`)).body.state).toBe('cancelled');
      expect((await call('GET', `jobs/${running}/result`)).status).toBe(409);
    });
    // Whoever worked on it has noticed, and does the next one.
    expect((await jobOf('exports', EXPORT)).state).toBe('done');
    const { body } = await call('GET', 'jobs');
    expect(body.jobs.filter(({ state }: { state: string }) => state === 'cancelled')).toHaveLength(2);
  });

  it('goes with its job when that is removed', async () => {
    const { id, result } = await jobOf('exports', EXPORT);
    expect((await call('DELETE', `jobs/${id}`)).status).toBe(204);
    expect((await call('GET', `jobs/${id}`)).status).toBe(404);
    expect((await fetchRaw(result.href)).statusCode).toBe(404);
    const { rows } = await postgres.pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relname ~ '^job_results_[0-9]+$'`,
    );
    for (const { name } of rows) {
      const left = await postgres.pool.query(`SELECT FROM ${name} WHERE job = $1`, [id]);
      expect(left.rowCount).toBe(0);
    }
  });

  it('is gone once it has expired: 410', async () => {
    const { id, result, expires_at, finished_at } = await jobOf('exports', EXPORT);
    expect(Date.parse(expires_at) - Date.parse(finished_at)).toBe(24 * 3_600_000);
    await postgres.pool.query('UPDATE jobs SET expires_at = now() WHERE id = $1', [id]);
    const { body } = await call('GET', `jobs/${id}`);
    expect([body.state, body.result]).toEqual(['expired', undefined]);
    const gone = await fetchRaw(result.href);
    expect([gone.statusCode, gone.json().type]).toEqual([410, '/problems/result-expired']);
  });

  it('that would be too large fails, and says so', async () => {
    const events = Array.from({ length: 500 }, (_, index) => ({
      at: Date.parse('2026-11-15T10:00:00Z') + index,
      page: `/${index}`,
    }));
    await insertSessions(
      postgres.pool,
      [1n, 2n, 3n].map((visitor) => ({ site, visitor, events })),
    );
    const { id, state, problem } = await jobOf('exports', {
      ...EXPORT,
      date_range: ['2026-11-15', '2026-11-15'],
    });
    expect([state, problem]).toEqual([
      'failed',
      expect.objectContaining({ status: 422, type: '/problems/result-too-large' }),
    ]);
    expect((await call('GET', `jobs/${id}/result`)).status).toBe(409);
  });
});

const call = (method: 'GET' | 'DELETE', path: string) =>
  plane.call(method, `/v1/sites/${site}/${path}`, { key: reader });
const state = async (id: string) => (await call('GET', `jobs/${id}`)).body.state as string;

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20);
}

it('refuses more than a site may have waiting: 429', async () => {
  await allOver();
  await withoutFacts(async () => {
    const accepted = [];
    for (let index = 0; index < 3; index++) accepted.push((await post('exports', EXPORT)).body.id);
    const refused = [await post('exports', EXPORT), await post('query', QUERY, ASYNC)];
    for (const { status, body, headers } of refused) {
      expect([status, body.type, headers['retry-after']]).toEqual([429, '/problems/too-many-jobs', '30']);
    }
    for (const id of accepted) await call('DELETE', `jobs/${id}`);
  });
});

it('lists jobs, newest first, in pages', async () => {
  await allOver();
  const { body: all } = await call('GET', 'jobs?limit=100');
  const times = all.jobs.map(({ created_at }: { created_at: string }) => created_at);
  expect([times.length > 4, times]).toEqual([true, times.toSorted().toReversed()]);
  const paged: string[] = [];
  for (let cursor = ''; ;) {
    const { body } = await call('GET', `jobs?limit=3${cursor}`);
    paged.push(...body.jobs.map(({ id }: { id: string }) => id));
    if (body.next_cursor === null) break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  expect(paged).toEqual(all.jobs.map(({ id }: { id: string }) => id));
});

it.each(['limit=0', 'limit=x', 'limit=101', 'cursor=nonsense', 'cursor=', 'state=done'])(
  'refuses the list with %s',
  async (query) => {
    const { status, body } = await call('GET', `jobs?${query}`);
    expect([status, body.errors.length]).toEqual([400, 1]);
  },
);

describe('to whoever may not see it', () => {
  it("another merchant's job answers exactly as one that does not exist", async () => {
    const { body: theirs } = await plane.call('POST', `/v1/sites/${other}/exports`, { body: EXPORT });
    const answers = async (of: string, id: string) => {
      const asked = (method: 'GET' | 'DELETE' | 'POST', path: string, body?: object) =>
        plane.call(method, `/v1/sites/${of}/${path}`, { key: reader, ...(body && { body }) });
      return [
        await asked('POST', 'exports', EXPORT),
        await asked('GET', 'jobs'),
        await asked('GET', `jobs/${id}`),
        await asked('GET', `jobs/${id}/result`),
        await asked('DELETE', `jobs/${id}`),
      ].map(({ status, body }) => ({ status, body }));
    };
    const there = await answers(other, theirs.id);
    expect(there.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect(there).toEqual(await answers('nowhere', 'jNever'));
    // Under a site that the key reaches, too.
    expect((await answers(site, theirs.id)).slice(2)).toEqual((await answers(site, 'jNever')).slice(2));
    const { body } = await plane.call('GET', `/v1/sites/${other}/jobs/${theirs.id}`);
    expect(body.id).toBe(theirs.id);
    await allOver();
  });

  it('needs a key with the right to read', async () => {
    const { id } = await jobOf('exports', EXPORT);
    const ingest = await keyFor(['ingest']);
    for (const path of ['jobs', `jobs/${id}`, `jobs/${id}/result`]) {
      const statuses = await Promise.all(
        [null, ingest].map(
          async (key) => (await plane.call('GET', `/v1/sites/${site}/${path}`, { key })).status,
        ),
      );
      expect(statuses).toEqual([401, 403]);
    }
    expect((await plane.call('DELETE', `/v1/sites/${site}/jobs/${id}`, { key: ingest })).status).toBe(403);
    const created = await plane.call('POST', `/v1/sites/${site}/exports`, { key: ingest, body: EXPORT });
    expect(created.status).toBe(403);
  });

  it.each(['x', "j' OR 1=1", 'j%00', 'j'.repeat(200), '..%2f'])('has no job called %s', async (id) => {
    expect((await call('GET', `jobs/${id}`)).status).toBe(404);
  });
});
