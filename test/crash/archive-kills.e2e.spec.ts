// Archiving processes, one or two at a time, killed with -9 again and again while the log grows: at each step
// that changes the store or the manifest, and at random. At the end the archive is the log, batch for batch.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive } from '../../src/archive/archive.js';
import { manifestNameOf } from '../../src/archive/archive.js';
import type { TrackingLog } from '../../src/tracking-log/tracking-log.js';
import {
  allBatches,
  archivedBatches,
  archiveIn,
  archiveUpTo,
  expectUnbroken,
  upkeepOf,
} from '../archiving.js';
import { openLog } from '../projecting.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { random } from '../traffic.js';
import { Child } from './child.js';
import { batchNamed } from './named-batches.js';

const PARTITIONS = 2;
/** As many steps as the first merge takes, three at a time. */
const STEP_KILLS = 13;
const RANDOM_KILLS = Number(process.env['CRASH_TEST_KILLS'] ?? 6);
const SEED = Number(process.env['CRASH_TEST_SEED'] ?? Date.now() % 1_000_000);

describe(`kill -9 of archivers (CRASH_TEST_SEED=${SEED})`, () => {
  const next = random(SEED);
  let postgres: MigratedPostgres;
  let directory: string;
  let log: TrackingLog;
  let archive: Archive;
  let appended = 0;
  const running: Child[] = [];

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    directory = await mkdtemp(join(tmpdir(), 'tidemark-archive-kills-'));
    log = openLog(join(directory, 'tracking-log'), PARTITIONS);
    archive = await archiveIn(join(directory, 'archive'), postgres.pool);
  });
  afterAll(async () => {
    await Promise.all(running.map((child) => child.kill()));
    await log.close();
    await postgres.stop();
    await rm(directory, { recursive: true });
  });

  async function start(killAt?: number): Promise<Child> {
    const child = await Child.start('test/crash/archiving-process.js', {
      environment: {
        DATA_DIR: directory,
        DATABASE_URL: postgres.url,
        TRACKING_LOG_PARTITIONS: String(PARTITIONS),
        ARCHIVE_URL: join(directory, 'archive'),
        ARCHIVE_SEGMENT_INTERVAL_MS: '10',
        ARCHIVE_SEGMENT_EVENTS_MAX: '400',
        ...(killAt === undefined ? {} : { KILL_AT: String(killAt) }),
      },
    });
    running.push(child);
    return child;
  }

  /** Until the work is done. */
  async function appendDuring(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    void work.finally(() => (isDone = true));
    while (!isDone) {
      await log.append(appended % PARTITIONS, batchNamed(`b${appended++}`, 1 + Math.floor(next() * 30)));
      await sleep(next() * 15);
    }
    await work;
  }

  it('leaves the archive equal to the log: no gap, no overlap, nothing half written', async () => {
    for (let kill = 0; kill < STEP_KILLS; kill++) {
      const child = await start(kill * 3 + Math.floor(next() * 3));
      await appendDuring(child.ended);
      expect(child.stderr).toBe('');
      for (let partition = 0; partition < PARTITIONS; partition++)
        expectUnbroken(await archive.manifests.read(partition));
    }
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      const [one, other] = [await start(), await start()];
      await one.printed(1);
      await appendDuring(sleep(next() * 600));
      await one.kill();
      await appendDuring(sleep(next() * 300));
      await other.kill();
    }

    for (let partition = 0; partition < PARTITIONS; partition++) {
      const position = await log.end(partition);
      await archiveUpTo({ archive, log, partition, position, segmentEventsMax: 400 });
      await upkeepOf(archive).sweep(partition);
      const manifest = await archive.manifests.read(partition);
      expectUnbroken(manifest);
      const batches = await allBatches(log, partition);
      expect(batches.length).toBeGreaterThan(100);
      expect(manifest.segments.length).toBeGreaterThan(2);
      expect(await archivedBatches(archive, partition)).toStrictEqual(batches);
      const names: string[] = [];
      for await (const name of archive.store.list(`partition-000${partition}/`)) names.push(name);
      expect(names.sort()).toEqual(
        [...manifest.segments.map(({ object }) => object), manifestNameOf(partition)].sort(),
      );
    }
  }, 600_000);
});
