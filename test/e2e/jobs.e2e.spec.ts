// Two api nodes and an export that outlasts one of them: killed with -9, or paused for longer than its lease
// and woken up again. The file is the one that an export makes which nobody disturbs.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { freePort } from '../servers/free-port.js';
import { openTestPool, startPostgres, type TestPostgres } from '../servers/postgres.js';
import { Node } from './topology.js';

const OPERATOR_KEY = 'operator-key-of-the-jobs-test-0123456789';
const SESSIONS = 20_000;
const EVENTS_EACH = 4;
/** Kept by a machine that has nothing else to do. */
const TAKEOVER_MS = 15_000;
const SLACK_MS = 10_000;
/** More than enough for a woken node to write what it had in hand. */
const WAKING_MS = 1_500;

interface JobSaid {
  readonly id: string;
  readonly state: string;
  readonly problem?: unknown;
  readonly result: {
    readonly href: string;
    readonly bytes: number;
    readonly rows: number;
    readonly sha256: string;
  };
}

let postgres: TestPostgres;
let pool: Pool;
let directory: string;
let nodes: readonly [Node, Node];
let site: string;

jest.setTimeout(180_000);

beforeAll(async () => {
  postgres = await startPostgres();
  pool = openTestPool(postgres.url, 2);
  directory = await mkdtemp(join(tmpdir(), 'tidemark-jobs-'));
  const [one, two] = await Promise.all([1, 2].map(plan));
  nodes = [one!, two!];
  await nodes[0].start();
  await nodes[1].start();
  const body = { domain: 'shop.example', timezone: 'Europe/Berlin' };
  site = ((await (await ask(nodes[0], 'POST', '/v1/sites', body)).json()) as { id: string }).id;
  await fill(site);
});
afterAll(async () => {
  await Promise.all((nodes ?? []).map((node) => node.end('SIGTERM')));
  await pool?.end();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

const plan = async (number: number): Promise<Node> =>
  new Node(`api-${number}`, {
    ROLE: 'api',
    PORT: String(await freePort()),
    DATA_DIR: join(directory, `api-${number}`),
    DATABASE_URL: postgres.url,
    OPERATOR_KEY,
    KEY_PEPPER: 'pepper-that-both-nodes-of-the-jobs-test-have',
    LOG_LEVEL: 'warn',
    // As the product is started.
    NODE_OPTIONS: '--max-old-space-size=224 --max-semi-space-size=16',
  });

const ask = (node: Node, method: string, path: string, body?: unknown, headers = {}): Promise<Response> =>
  fetch(`http://${node.address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${OPERATOR_KEY}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** Sessions without a projector: one every second, each with the same events. */
async function fill(of: string): Promise<void> {
  await pool.query(`CREATE TABLE IF NOT EXISTS sessions_v1_2026_11 PARTITION OF sessions_v1
    FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00')`);
  await pool.query(
    `INSERT INTO sessions_v1 (site, started_at, session, partition, visitor, ended_at, bot, bounced, pageviews, events,
        entry_page, exit_page, entry_hostname, exit_hostname, country, event_offsets, event_pages, event_props, carry)
      SELECT $1, at, hashint8extended(n, 1), 0, hashint8extended(n, 2), at + interval '3 minutes', false, false, 4, 4,
        '/', '/3', 'shop.example', 'shop.example', 'DE', ARRAY[0, 60000, 120000, 180000], ARRAY['/', '/1', '/2', '/3'],
        jsonb_build_array(NULL, jsonb_build_object('plan', 'pro', 'n', n), NULL, jsonb_build_object('note', repeat(md5(n::text), 4))),
        ''
      FROM generate_series(1, $2) AS n, LATERAL (SELECT timestamptz '2026-11-10 08:00Z' + n * interval '1 second' AS at) AS times`,
    [of, SESSIONS],
  );
}

async function exportOf(format: string): Promise<string> {
  const body = { what: 'events', format, date_range: ['2026-11-01', '2026-11-14'] };
  const accepted = await ask(nodes[0], 'POST', `/v1/sites/${site}/exports`, body);
  expect(accepted.status).toBe(202);
  return accepted.headers.get('location')!;
}

const undisturbed = new Map<string, Promise<JobSaid>>();

function undisturbedExport(format: string): Promise<JobSaid> {
  const known = undisturbed.get(format) ?? exportOf(format).then((location) => whenOver(nodes[0], location));
  undisturbed.set(format, known);
  return known;
}

async function whenOver(node: Node, location: string): Promise<JobSaid> {
  for (;;) {
    const job = (await (await ask(node, 'GET', location)).json()) as JobSaid;
    if (job.state !== 'queued' && job.state !== 'running') {
      expect([job.state, job.problem]).toEqual(['done', undefined]);
      return job;
    }
    await sleep(50);
  }
}

/** The node that is in the midst of the job, with something written or for a while, and the other one. */
async function workingOn(location: string): Promise<readonly [owner: Node, other: Node]> {
  for (;;) {
    const { rows } = await pool.query<{ state: string; owner: string; isMidst: boolean }>(
      `SELECT state, owner, bytes > 0 OR claimed_at < now() - interval '0.3 s' AS "isMidst" FROM jobs WHERE id = $1`,
      [location.split('/').at(-1)],
    );
    const { state, owner, isMidst } = rows[0]!;
    if (state === 'done') throw new Error('The export was faster than the test');
    if (state === 'running' && isMidst) {
      const [one, two] = nodes;
      return owner.endsWith(`:${one.pid}`) ? [one, two] : [two, one];
    }
    await sleep(5);
  }
}

async function takenOver(location: string, from: Node): Promise<number> {
  const startedAt = Date.now();
  for (;;) {
    const { rows } = await pool.query<{ owner: string | null }>('SELECT owner FROM jobs WHERE id = $1', [
      location.split('/').at(-1),
    ]);
    if (!rows[0]!.owner?.endsWith(`:${from.pid}`)) return Date.now() - startedAt;
    await sleep(20);
  }
}

async function download(node: Node, { result }: JobSaid, headers = {}): Promise<Buffer> {
  const response = await ask(node, 'GET', result.href, undefined, headers);
  expect(response.ok).toBe(true);
  return Buffer.from(await response.arrayBuffer());
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe.each(['ndjson', 'parquet'])('an export as %s', (format) => {
  it('is finished by the other node when the one that runs it is killed, and is the same file', async () => {
    const undisturbed = await undisturbedExport(format);
    const location = await exportOf(format);
    const [owner, other] = await workingOn(location);
    await owner.end('SIGKILL');
    expect(await takenOver(location, owner)).toBeLessThan(TAKEOVER_MS + SLACK_MS);
    const job = await whenOver(other, location);
    const { href: _, ...same } = undisturbed.result;
    expect(same.rows).toBe(SESSIONS * EVENTS_EACH);
    expect(job.result).toMatchObject(same);
    expect(sha256(await download(other, job))).toBe(undisturbed.result.sha256);
    await owner.start();
    // From a node that has written nothing of it, from any byte.
    const tail = await download(owner, job, { range: `bytes=${job.result.bytes - 12_345}-` });
    const whole = await download(owner, job);
    expect(tail.equals(whole.subarray(-12_345))).toBe(true);
    expect(sha256(whole)).toBe(undisturbed.result.sha256);
  });
});

it('is not touched by a node that was paused for longer than its lease, and wakes up', async () => {
  const undisturbed = await undisturbedExport('ndjson');
  const location = await exportOf('ndjson');
  const [owner, other] = await workingOn(location);
  process.kill(owner.pid, 'SIGSTOP');
  try {
    await takenOver(location, owner);
    // While its successor is writing, or has just finished.
    process.kill(owner.pid, 'SIGCONT');
    const job = await whenOver(other, location);
    await sleep(WAKING_MS);
    expect(job.result.sha256).toBe(undisturbed.result.sha256);
    expect(sha256(await download(owner, job))).toBe(undisturbed.result.sha256);
    const after = (await (await ask(owner, 'GET', location)).json()) as JobSaid;
    expect(after).toEqual(job);
    expect((await fetch(`http://${owner.address}/health/live`)).ok).toBe(true);
  } finally {
    process.kill(owner.pid, 'SIGCONT');
  }
});

it('is handed over at once by a node that stops in good order', async () => {
  const location = await exportOf('ndjson');
  const [owner, other] = await workingOn(location);
  const [{ code }, tookMs] = await Promise.all([owner.end('SIGTERM'), takenOver(location, owner)]);
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(10_000);
  expect((await whenOver(other, location)).result.sha256).toBe(
    (await undisturbedExport('ndjson')).result.sha256,
  );
});
