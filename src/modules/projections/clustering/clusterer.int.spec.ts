// Clustering moves rows and changes none: whatever is written, stopped or done twice meanwhile.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CATALOG } from '../../../../test/catalog.js';
import { appendInBatches, openLog, project } from '../../../../test/projecting.js';
import { expectedReadModels, readModelBytes, storedReadModels } from '../../../../test/read-models.js';
import { dropVersion, rebuild } from '../../../../test/rebuilding.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { shuffled, trouble } from '../../../../test/traffic.js';
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { TrackingLog } from '../../../tracking-log/tracking-log.js';
import { createReadModelTables } from '../read-model-tables.js';
import { clusterDay, type DayToCluster } from './cluster-day.js';
import { Clusterer } from './clusterer.js';
import { ClusteringTelemetry } from './clustering.telemetry.js';
import { DAY_MS } from './days-to-cluster.js';

const PARTITIONS = 2;
const FROM = Date.UTC(2026, 2, 30);
const SITES = Array.from({ length: 12 }, (_, index) => `site-${index}`);
const ASKED: DayToCluster = { version: 1, day: FROM, table: 'sessions_v1_2026_03', rowsMax: 40 };
const WAITING = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
const NEVER = new AbortController().signal;

const made = trouble({ seed: 7, events: 4_000, visitors: 60, days: 3, from: FROM, sites: SITES });

let postgres: MigratedPostgres;
let directory: string;
let logs = 0;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  await createReadModelTables(postgres.pool, CATALOG);
  directory = await mkdtemp(join(tmpdir(), 'tidemark-clustering-'));
});
beforeEach(() =>
  postgres.pool.query(
    'TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters, clustered_days',
  ),
);
afterAll(async () => {
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function projected(events: readonly TrackedEvent[]): Promise<TrackingLog> {
  const log = openLog(join(directory, `log-${logs++}`), PARTITIONS);
  await appendInBatches(log, events, 5);
  // Few at a time, so that they lie in the order in which they came.
  const projecting = project(log, postgres.pool, { flushEventsMax: 20, flushIntervalMs: 10 });
  await projecting.caughtUp();
  await projecting.stop();
  return log;
}

const round = (version = 1, signal = NEVER) =>
  new Clusterer(postgres.pool, new ClusteringTelemetry(new Telemetry('silent'))).round(version, signal);

/** How many of the rows of a day that lie one after the other in a page are of different sites or out of order. */
async function disorder(version = 1, day = FROM): Promise<number> {
  const { rows } = await postgres.pool.query<{ disorder: string }>(
    `SELECT count(*) AS disorder FROM (
       SELECT (site, partition) <> lag((site, partition)) OVER w OR started_at < lag(started_at) OVER w AS break
       FROM sessions_v${version} WHERE started_at >= $1 AND started_at < $2
       WINDOW w AS (PARTITION BY (ctid::text::point)[0] ORDER BY ctid)) AS neighbours WHERE break`,
    [new Date(day), new Date(day + DAY_MS)],
  );
  return Number(rows[0]!.disorder);
}

const daysDone = async () =>
  (
    await postgres.pool.query<{ day: Date }>(
      'SELECT day FROM clustered_days WHERE clustered_at IS NOT NULL ORDER BY day',
    )
  ).rows.map(({ day }) => day.getTime());

const rowsOf = async (day: number) =>
  Number(
    (
      await postgres.pool.query<{ count: string }>(
        'SELECT count(*) FROM sessions_v1 WHERE started_at >= $1 AND started_at < $2',
        [new Date(day), new Date(day + DAY_MS)],
      )
    ).rows[0]!.count,
  );

it('puts the rows of days that are over into the order of their key, and leaves them as they are', async () => {
  const log = await projected(shuffled(made, 3));
  const before = await readModelBytes(postgres.pool);
  const disorderBefore = await disorder();
  await round();
  expect(await readModelBytes(postgres.pool)).toEqual(before);
  // A site in a page that begins with others' is one change of site; no row lies between those of another site.
  expect(disorderBefore).toBeGreaterThan(100);
  expect(await disorder()).toBeLessThan(disorderBefore / 5);
  const days = [FROM, FROM + DAY_MS, FROM + 2 * DAY_MS];
  expect(await daysDone()).toEqual(expect.arrayContaining(days));

  // Done is done.
  const places = () =>
    postgres.pool.query('SELECT ctid FROM sessions_v1 ORDER BY ctid').then(({ rows }) => rows);
  const placesBefore = await places();
  await round();
  expect(await places()).toEqual(placesBefore);
  await log.close();
});

it('waits for a partition that is behind: its rows of those days are still to come', async () => {
  const log = await projected(made);
  await postgres.pool.query('UPDATE checkpoints SET watermark = $1 WHERE partition = 1', [
    new Date(FROM + DAY_MS + 2 * 3_600_000),
  ]);
  await round();
  expect((await daysDone()).at(-1)).toBe(FROM);
  await log.close();
});

it('loses and doubles nothing that is written meanwhile', async () => {
  const log = await projected(made.slice(0, 1_500));
  const projecting = project(log, postgres.pool, { flushEventsMax: 50, flushIntervalMs: 10 });
  const stopping = new AbortController();
  let moved = 0;
  const clustering = (async () => {
    while (!stopping.signal.aborted) {
      for (const day of [FROM, FROM + DAY_MS]) {
        await postgres.pool.query('DELETE FROM clustered_days');
        await clusterDay(
          postgres.pool,
          { ...ASKED, day },
          { signal: stopping.signal, moved: async (rows) => void (moved += rows) },
        );
      }
    }
  })();
  // Late events of all days, which begin, join, lengthen and move the sessions that are being moved.
  await appendInBatches(log, shuffled(made.slice(1_500), 9), 11);
  await projecting.caughtUp();
  const movedMeanwhile = moved;
  stopping.abort();
  await clustering;
  await projecting.stop();
  expect(movedMeanwhile).toBeGreaterThan(500);
  expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
  const { rows } = await postgres.pool.query('SELECT error FROM dead_letters');
  expect(rows).toEqual([]);
  await log.close();
});

it('goes on where it was stopped, or where PostgreSQL cut it off', async () => {
  const log = await projected(shuffled(made, 4));
  const before = await readModelBytes(postgres.pool);
  const stopping = new AbortController();
  let moves = 0;
  const stopped = await clusterDay(postgres.pool, ASKED, {
    signal: stopping.signal,
    moved: async () => void (++moves === 3 && stopping.abort()),
  });
  expect(stopped).toBe('stopped');

  const locked = await postgres.pool.connect();
  await locked.query('BEGIN; SELECT FROM checkpoints FOR UPDATE');
  const cut = clusterDay(postgres.pool, ASKED, { signal: NEVER, moved: async () => undefined }).catch(String);
  while ((await postgres.pool.query(WAITING)).rowCount === 0) await sleep(10);
  await postgres.pool.query(`SELECT pg_terminate_backend(pid) FROM (${WAITING}) AS waiting`);
  expect(await cut).toContain('terminat');
  await locked.query('ROLLBACK');
  locked.release();
  expect(await daysDone()).toEqual([]);
  expect(await readModelBytes(postgres.pool)).toEqual(before);

  await round();
  expect(await daysDone()).toContain(FROM);
  expect(await disorder()).toBeLessThan(40);
  expect(await readModelBytes(postgres.pool)).toEqual(before);
  await log.close();
});

it('is done once by two at the same time', async () => {
  const log = await projected(shuffled(made, 5));
  const before = await readModelBytes(postgres.pool);
  const held = await postgres.pool.connect();
  await held.query('BEGIN; SELECT FROM checkpoints FOR UPDATE');
  let moved = 0;
  const both = [1, 2].map(() =>
    clusterDay(postgres.pool, ASKED, { signal: NEVER, moved: async (rows) => void (moved += rows) }),
  );
  while ((await postgres.pool.query(WAITING)).rowCount! < 2) await sleep(10);
  await held.query('ROLLBACK');
  held.release();
  expect((await Promise.all(both)).toSorted()).toEqual(['clustered', 'taken']);
  expect(moved).toBe(await rowsOf(FROM));
  expect(await daysDone()).toEqual([FROM]);
  expect(await readModelBytes(postgres.pool)).toEqual(before);
  await log.close();
});

it('has nothing to do where a rebuild wrote the rows in order', async () => {
  const log = await projected(shuffled(made, 6));
  await dropVersion(postgres.pool, 2);
  await rebuild(log, postgres.pool, { version: 2, directory, bucketEventsMax: 10_000 });
  await postgres.pool.query(
    `INSERT INTO checkpoints (projection, version, partition, watermark)
     SELECT projection, 2, partition, now() FROM checkpoints WHERE version = 1
     ON CONFLICT (projection, version, partition) DO UPDATE SET watermark = excluded.watermark`,
  );
  expect(await disorder(2)).toBeLessThan((await disorder()) / 5);
  await round(2);
  const done = async () =>
    (await postgres.pool.query('SELECT FROM clustered_days WHERE version = 2')).rowCount;
  expect(await done()).toBe(0);

  // By a release that wrote them as they came.
  await postgres.pool.query('UPDATE rebuild_partitions SET ordered_until = NULL WHERE partition = 1');
  await round(2);
  expect(await done()).toBeGreaterThan(3);
  await log.close();
});

it('takes a site that is larger than what is looked at in one go', async () => {
  const log = await projected(shuffled(made, 8));
  const before = await readModelBytes(postgres.pool);
  let moved = 0;
  // Twenty rows at a time, where some sites have more.
  await clusterDay(
    postgres.pool,
    { ...ASKED, rowsMax: 1 },
    { signal: NEVER, moved: async (rows) => void (moved += rows) },
  );
  expect(moved).toBe(await rowsOf(FROM));
  expect(await readModelBytes(postgres.pool)).toEqual(before);
  await log.close();
});

it('leaves no VACUUM behind when it is stopped, and does it the next time', async () => {
  const log = await projected(made.slice(0, 500));
  const held = await postgres.pool.connect();
  await held.query(`BEGIN; LOCK TABLE ${ASKED.table} IN SHARE UPDATE EXCLUSIVE MODE`);
  const stopping = new AbortController();
  const stopped = clusterDay(postgres.pool, ASKED, { signal: stopping.signal, moved: async () => undefined });
  const vacuums = async () => (await postgres.pool.query(`${WAITING} AND query LIKE 'VACUUM%'`)).rowCount!;
  while ((await vacuums()) === 0) await sleep(10);
  stopping.abort();
  expect(await stopped).toBe('stopped');
  while ((await vacuums()) > 0) await sleep(10);
  await held.query('ROLLBACK');
  held.release();
  expect(await daysDone()).toEqual([]);
  expect(await clusterDay(postgres.pool, ASKED, { signal: NEVER, moved: async () => undefined })).toBe(
    'clustered',
  );
  expect(await daysDone()).toEqual([FROM]);
  await log.close();
});
