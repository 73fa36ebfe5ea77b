// What happens while an export runs: versions are promoted and removed, sessions change, pages are heavy.
// Between two of its pages, a test does what it wants.
import type { Pool } from 'pg';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  createReadModels,
  type GivenSession,
  insertSessions,
  setCheckpoints,
} from '../../../../test/read-model-rows.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { rowSecuritySql } from '../../../postgres/row-security.js';
import { readConfig } from '../../../config/config.js';
import { Freshness } from '../freshness.js';
import { JobQueue } from '../jobs/job-queue.js';
import { JobTable } from '../jobs/job-table.js';
import { ResultStore } from '../jobs/result-store.js';
import { ResultWriter } from '../jobs/result-writer.js';
import { inReadTransaction } from '../read-transaction.js';
import { SiteChanges } from '../site-changes.js';
import type { KeptExport } from './export-request.js';
import { ExportWork } from './run-export.js';
import { type PageAsked, type PagePlace, readSessionPage, type SessionPage } from './session-pages.js';

const SITE = 'shop';
const FROM = Date.parse('2026-11-10T00:00:00Z');
const TO = FROM + 86_400_000;
const SESSIONS = 400;
const ASKED: KeptExport = {
  asked: { what: 'sessions', format: 'ndjson', date_range: ['', ''], filters: [], include: { bots: true } },
  range: { from: FROM - 86_400_000, to: TO + 86_400_000 },
  zone: 'UTC',
  goals: [],
};
const config = readConfig({});

let postgres: MigratedPostgres;
let version: number;
let queue: JobQueue;
let store: ResultStore;
let table: JobTable;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  store = new ResultStore(postgres.pool);
  queue = new JobQueue(postgres.pool, config);
  table = new JobTable(postgres.pool, config, store);
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  version = 1;
  const { pool } = postgres;
  await pool.query('DELETE FROM jobs');
  await createReadModels(pool);
  await setCheckpoints(pool, '1', [new Date(), new Date()]);
  await insertSessions(pool, randomSessions({ seed: 3, site: SITE, count: SESSIONS, from: FROM, to: TO }));
  // The next version says of every visit that it came from nowhere known.
  await pool.query(`DROP TABLE IF EXISTS sessions_v2; CREATE TABLE sessions_v2 (LIKE sessions_v1 INCLUDING ALL);
    INSERT INTO sessions_v2 SELECT * FROM sessions_v1; UPDATE sessions_v2 SET country = 'XX';
    ${rowSecuritySql('sessions_v2')}`);
});

/** The pool, but before its so-many-eth transaction something happens. */
function interrupted(before: number, happens: () => Promise<void>): Pool {
  let transactions = 0;
  return new Proxy(postgres.pool, {
    get(pool, name) {
      if (name !== 'connect') return Reflect.get(pool, name, pool) as unknown;
      return async () => {
        if (++transactions === before) await happens();
        return pool.connect();
      };
    },
  });
}

/** The first transaction counts, the second reads the first page. */
const THIRD_PAGE = 4;

async function exported(happens: () => Promise<void>, asked = ASKED) {
  await table.add({ site: SITE, merchant: 'm', kind: 'export', request: asked });
  const job = (await queue.claim('test', ['export']))!;
  const result = await ResultWriter.open(job, { store, bytesMax: 1e9 });
  const freshness = new Freshness(postgres.pool, { versionFor: () => version, versions: [1] });
  const changes = new SiteChanges(postgres.pool);
  const work = new ExportWork({ pool: interrupted(THIRD_PAGE, happens), config, freshness, changes });
  const { signal } = new AbortController();
  const done = await work.run({ job, result, signal, report: (progress) => queue.report(job, progress) });
  const pieces: Buffer[] = [];
  for await (const piece of store.read(job, { from: 0, to: result.bytes })) pieces.push(piece);
  const rows = Buffer.concat(pieces).toString().split('\n').slice(0, -1);
  return {
    about: JSON.parse(done.about!) as Record<string, unknown>,
    rows: rows.map((row) => JSON.parse(row) as { session_id: string; started_at: string; country: string }),
  };
}

const ids = (rows: readonly { session_id: string; started_at: string }[]) =>
  rows.map(({ session_id, started_at }) => `${started_at} ${session_id}`);

it('is of the version that served when it began, whatever is promoted meanwhile', async () => {
  const { rows, about } = await exported(async () => {
    version = 2;
  });
  expect([rows.length, rows.filter(({ country }) => country === 'XX').length]).toEqual([SESSIONS, 0]);
  expect(about).toMatchObject({ projection: 'sessions@1', changed_meanwhile: false });
});

it('is begun anew, and no mixture, where that version is removed', async () => {
  const { rows, about } = await exported(async () => {
    version = 2;
    await postgres.pool.query('DROP TABLE sessions_v1');
  });
  expect([rows.length, rows.filter(({ country }) => country === 'XX').length]).toEqual([SESSIONS, SESSIONS]);
  expect(new Set(ids(rows)).size).toBe(SESSIONS);
  expect(about.projection).toBe('sessions@2');
});

it('says so where sessions of its range changed while it ran, and only then', async () => {
  const late: GivenSession = { site: SITE, visitor: 5n, events: [{ at: FROM + 1 }] };
  const elsewhere = { ...late, site: 'another' };
  expect((await exported(() => insertSessions(postgres.pool, [elsewhere]))).about.changed_meanwhile).toBe(
    false,
  );
  const { about } = await exported(async () => {
    await postgres.pool.query('DELETE FROM traffic_v1');
    await insertSessions(postgres.pool, [late]);
  });
  expect(about.changed_meanwhile).toBe(true);
});

it('is not worked on any further by whoever was told to stop', async () => {
  const cancelled = exported(async () => {
    const [job] = await table.list(SITE, null, 1);
    await table.cancel(job!);
  });
  await expect(cancelled).rejects.toThrow(/cancelled|deleted/);
});

describe('pages', () => {
  async function pages(rowsMax: number): Promise<{ readonly sizes: number[]; readonly seen: string[] }> {
    const sizes: number[] = [];
    const seen: string[] = [];
    let after: PagePlace | null = null;
    for (let rows = rowsMax; ;) {
      const sessions = {
        ...{ site: SITE, range: ASKED.range, zone: 'UTC', filters: [], goals: [] },
        include: { bots: true },
      };
      const asked: PageAsked = { what: 'events', table: 'sessions_v1', sessions, after, rowsMax: rows };
      const page: SessionPage = await inReadTransaction(
        postgres.pool,
        { site: SITE, timeoutMs: 20_000 },
        (client) => readSessionPage(client, asked),
      );
      sizes.push(page.rows.length);
      seen.push(...page.rows.map(({ started_at, key }) => `${started_at} ${key}`));
      if (page.isLast) return { sizes, seen };
      rows = page.rowsMax;
      const last = page.rows.at(-1)!;
      after = { startedAt: last.started_at, key: last.key };
    }
  }

  it.each([1, 7, 399, 400, 401, 1_000])(
    'of %d rows to begin with hold every session once',
    async (rowsMax) => {
      const { seen } = await pages(rowsMax);
      const { rows } = await postgres.pool.query<{ place: string }>(
        `SELECT (extract(epoch FROM started_at) * 1000)::float8 || ' ' || session AS place
        FROM sessions_v1 WHERE site = $1 ORDER BY started_at, session`,
        [SITE],
      );
      expect(seen).toEqual(rows.map(({ place }) => place));
    },
  );

  it('are small where sessions are heavy, and hold one that is heavier than a page may be', async () => {
    await postgres.pool.query('DELETE FROM sessions_v1; DELETE FROM traffic_v1');
    const heavy = (visitor: number, events: number): GivenSession => ({
      site: SITE,
      visitor: BigInt(visitor),
      events: Array.from({ length: events }, (_, index) => ({
        at: FROM + visitor * 1_000_000 + index,
        // Compressed to next to nothing, and as large as ever once it is read.
        props: { note: 'x'.repeat(2_000) },
      })),
    });
    await insertSessions(postgres.pool, [
      ...Array.from({ length: 30 }, (_, n) => heavy(n, 100)),
      heavy(40, 1_500),
    ]);
    const { sizes, seen } = await pages(1_000);
    expect(seen).toHaveLength(31);
    expect(Math.max(...sizes)).toBeLessThan(8);
    expect(sizes.at(-1)).toBe(1);
  });
});
