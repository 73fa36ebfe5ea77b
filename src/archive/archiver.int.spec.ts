// The archiver at work: a real log, real objects, a real manifest; the store fails or stands still when told.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Test } from '@nestjs/testing';
import { Global, Module } from '@nestjs/common';
import { Pool } from 'pg';
import {
  allBatches,
  archivedBatches,
  archiveIn,
  archiverOf,
  archiveUpTo,
  expectUnbroken,
  upkeepOf,
} from '../../test/archiving.js';
import { batchNamed } from '../../test/crash/named-batches.js';
import { LogWindow } from '../../test/log-window.js';
import { openLog } from '../../test/projecting.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../test/servers/postgres.js';
import { ConfigModule } from '../config/config.module.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { type Position, type RecordedBatch, TrackingLog } from '../tracking-log/tracking-log.js';
import { type Archive, manifestNameOf } from './archive.js';
import { ArchiveModule } from './archive.module.js';
import { ArchiveStore } from './archive-store.js';
import { ArchivedLog } from './archived-log.js';
import { PartitionArchiver } from './archiver.js';
import { ArchiveTelemetry } from './archive.telemetry.js';
import { DirectoryArchiveStore } from './directory.archive-store.js';

const PARTITIONS = 3;

let postgres: MigratedPostgres;
let directory: string;
let log: TrackingLog;
let store: ObstructedStore;
let archive: Archive;

/** A store that fails so many times, or lets a put wait before or after its work. */
class ObstructedStore extends ArchiveStore {
  failures = 0;
  beforePut: ((name: string) => Promise<void>) | undefined;
  beforeDelete: (() => Promise<void>) | undefined;

  constructor(private readonly within: ArchiveStore) {
    super();
  }

  override async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#fail();
    await this.beforePut?.(name);
    await this.within.put(name, bytes);
  }

  override async get(name: string): Promise<Uint8Array> {
    this.#fail();
    return this.within.get(name);
  }

  override list(prefix: string): AsyncIterable<string> {
    this.#fail();
    return this.within.list(prefix);
  }

  override async delete(name: string): Promise<void> {
    this.#fail();
    await this.beforeDelete?.();
    return this.within.delete(name);
  }

  #fail(): void {
    if (this.failures-- > 0) throw new Error('The store is away');
  }
}

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-archiver-'));
  log = openLog(join(directory, 'log'), PARTITIONS);
  store = new ObstructedStore(await DirectoryArchiveStore.open(join(directory, 'archive')));
  archive = await archiveIn(store, postgres.pool);
  await postgres.pool.query('TRUNCATE archive_partitions, archive_segments');
});
afterEach(async () => {
  await log.close();
  await rm(directory, { recursive: true });
});

async function append(count: number, partition = 0, name = 'b'): Promise<RecordedBatch[]> {
  for (let index = 0; index < count; index++)
    await log.append(partition, batchNamed(`${name}${index}`, 1 + (index % 3)));
  return allBatches(log, partition);
}

async function objects(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of store.list('')) names.push(name);
  return names.sort();
}

const archived = async (segmentEventsMax = 1_000, partition = 0) => {
  const position = await log.end(partition);
  return archiveUpTo({ archive, log, partition, position, segmentEventsMax });
};

interface Following {
  stop(): Promise<void>;
}

function follow(archiver: PartitionArchiver, partition = 0): Following {
  const stopping = new AbortController();
  const following = archiver.follow(partition, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not come to that in time');
    await sleep(5);
  }
}

const positionIs = (position: Position | null) => async () =>
  (await archive.manifests.read(0)).position === position;

describe('the archiver', () => {
  it('archives every partition exactly, in segments of so many events', async () => {
    for (let partition = 0; partition < PARTITIONS; partition++)
      await append(40, partition, `p${partition}-`);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const manifest = await archived(20, partition);
      expectUnbroken(manifest);
      expect(manifest.segments).toHaveLength(4);
      for (const { events } of manifest.segments.slice(0, -1)) expect(events).toBeGreaterThanOrEqual(20);
      expect(await archivedBatches(archive, partition)).toStrictEqual(await allBatches(log, partition));
    }
  });

  it('lets batches wait for one another until the interval is over', async () => {
    const following = follow(archiverOf(archive, log, { segmentIntervalMs: 4_000 }));
    const [first] = await append(1);
    while (Date.now() < first!.appendedAt + 1_000) {
      await append(1);
      expect((await archive.manifests.read(0)).position).toBeNull();
      await sleep(50);
    }
    await until(async () => (await archive.manifests.read(0)).position !== null);
    expect(Date.now()).toBeGreaterThanOrEqual(first!.appendedAt + 4_000);
    const { segments } = await archive.manifests.read(0);
    expect(segments).toHaveLength(1);
    expect(segments[0]!.events).toBeGreaterThan(5);
    await following.stop();
  });

  it('goes on where another one stopped, without gap or overlap', async () => {
    for (let round = 0; round < 6; round++) {
      await append(5, 0, `round${round}-`);
      expectUnbroken(await archived(7));
    }
    expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
  });

  it('tells outside readers what the manifest says', async () => {
    await append(5);
    const manifest = await archived(4);
    const published = Buffer.from(await store.get(manifestNameOf(0))).toString('utf8');
    expect(JSON.parse(published)).toEqual({ format: 1, ...manifest });
  });

  it('tries again until the store is back, and says how often it failed and how late it is', async () => {
    const telemetry = new Telemetry('silent');
    const batches = await append(3);
    store.failures = 3;
    const following = follow(archiverOf(archive, log, { telemetry: new ArchiveTelemetry(telemetry) }));
    const value = async (name: string): Promise<number> =>
      (await telemetry.registry.getSingleMetric(name)!.get()).values[0]?.value ?? NaN;
    await until(async () => (await value('tidemark_archive_failures_total')) >= 2);
    await until(positionIs(batches.at(-1)!.position));
    await until(async () => (await value('tidemark_archive_lag_seconds')) === 0);
    expect(await value('tidemark_archive_segments_total')).toBe(1);
    expect(await value('tidemark_archive_events_total')).toBe(6);
    const [segment] = (await archive.manifests.read(0)).segments;
    expect(await value('tidemark_archive_bytes_total')).toBe(segment!.bytes);
    await following.stop();
  });

  it('says how late it is while it cannot archive', async () => {
    const telemetry = new Telemetry('silent');
    await append(1);
    let release: () => void = () => {};
    store.beforePut = () => new Promise((resolve) => (release = resolve));
    const following = follow(archiverOf(archive, log, { telemetry: new ArchiveTelemetry(telemetry) }));
    const lag = async (): Promise<number> =>
      (await telemetry.registry.getSingleMetric('tidemark_archive_lag_seconds')!.get()).values[0]?.value ?? 0;
    await until(async () => (await lag()) > 0.3);
    store.beforePut = undefined;
    release();
    await until(async () => (await lag()) === 0);
    await following.stop();
  });

  it('does not go on, and loses nothing, when the log has lost what comes next', async () => {
    const batches = await append(6);
    const window = new LogWindow(log);
    window.end = batches[1]!.position;
    await archiveUpTo({ archive, log: window, partition: 0, position: window.end, segmentEventsMax: 9 });
    window.end = undefined;
    window.goneThrough = batches[3]!.position;
    const telemetry = new Telemetry('silent');
    const following = follow(archiverOf(archive, window, { telemetry: new ArchiveTelemetry(telemetry) }));
    const failures = telemetry.registry.getSingleMetric('tidemark_archive_failures_total')!;
    await until(async () => ((await failures.get()).values[0]?.value ?? 0) > 0);
    await following.stop();
    expect((await archive.manifests.read(0)).position).toBe(batches[1]!.position);
  });
});

describe('of two archivers of one partition', () => {
  it('one adds a segment, however they run into each other, and what the other wrote is removed', async () => {
    const rivals = [1, 2, 3].map(() => follow(archiverOf(archive, log, { segmentEventsMax: 7 })));
    for (let round = 0; round < 10; round++) await append(4, 0, `round${round}-`);
    await until(positionIs(await log.end(0)));
    await Promise.all(rivals.map((rival) => rival.stop()));
    await upkeepOf(archive).sweep(0);
    const manifest = await archived(7);
    expectUnbroken(manifest);
    expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
    expect(await objects()).toEqual(
      [...manifest.segments.map(({ object }) => object), manifestNameOf(0)].sort(),
    );
  });

  it.each(['before it put its object', 'after it put its object'])(
    'the one that was paused %s changes nothing when it wakes up',
    async (when) => {
      await append(5);
      let wake: () => void = () => {};
      let isPaused = false;
      const pausing = new ObstructedStore(store);
      pausing.beforePut = async (name) => {
        if (name === manifestNameOf(0)) return;
        if (when.startsWith('after')) await store.put(name, Buffer.from('as good as its object'));
        isPaused = true;
        await new Promise<void>((resolve) => (wake = resolve));
      };
      const paused = follow(archiverOf(await archiveIn(pausing, postgres.pool), log));
      await until(() => isPaused);

      await append(5, 0, 'later');
      const before = await archived(4);
      expect(await objects()).toEqual(
        [...before.segments.map(({ object }) => object), manifestNameOf(0)].sort(),
      );
      wake();
      await until(async () => (await objects()).length > before.segments.length + 1);
      await paused.stop();
      const after = await archived(4);
      expect(after.segments).toEqual(before.segments);
      expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
    },
  );

  it('the one whose object was swept while it slept cannot add it, though nobody archived meanwhile', async () => {
    await append(3);
    let wake: () => void = () => {};
    let isPaused = false;
    const changing = archive.manifests.change.bind(archive.manifests);
    const sleepy = await archiveIn(store, postgres.pool);
    sleepy.manifests.change = async (from, change) => {
      if (change.added !== undefined && !isPaused) {
        isPaused = true;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return changing(from, change);
    };
    const following = follow(archiverOf(sleepy, log));
    await until(() => isPaused);
    await upkeepOf(archive).sweep(0);
    expect(await objects()).toEqual([manifestNameOf(0)]);
    wake();
    await until(positionIs(await log.end(0)));
    await following.stop();
    expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
  });
});

describe('a sweep', () => {
  it('that was paused removes nothing that was written since, be it the same content', async () => {
    await append(3);
    const dying = await archiveIn(store, postgres.pool);
    let isDead = false;
    dying.manifests.change = async (from, change) => {
      if (change.added === undefined) return archive.manifests.change(from, change);
      isDead = true;
      throw new Error('The process was killed');
    };
    const following = follow(archiverOf(dying, log));
    await until(() => isDead);
    await following.stop();

    let wake: () => void = () => {};
    let isPaused = false;
    const pausing = new ObstructedStore(store);
    pausing.beforeDelete = () => {
      isPaused = true;
      return new Promise((resolve) => (wake = resolve));
    };
    const sweeping = upkeepOf(await archiveIn(pausing, postgres.pool)).sweep(0);
    await until(() => isPaused);
    await archived();
    wake();
    await sweeping;
    expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
  });
});

describe('upkeep', () => {
  it('merges small segments into larger ones, and leaves nothing else behind', async () => {
    for (let round = 0; round < 30; round++) {
      await append(1, 0, `round${round}-`);
      await archived(12);
    }
    const manifest = await archived(12);
    expectUnbroken(manifest);
    expect(manifest.segments.length).toBeLessThan(12);
    expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
    expect(await objects()).toEqual(
      [...manifest.segments.map(({ object }) => object), manifestNameOf(0)].sort(),
    );
  });

  it('drops whole segments that are older than their retention, oldest first, and keeps the position', async () => {
    await append(2);
    await archived();
    await sleep(1_200);
    const [, , third] = await append(1, 0, 'young');
    const before = await archived();
    const days = (Date.now() - third!.appendedAt + 500) / 86_400_000;
    await upkeepOf(archive, days).tidy(0, new AbortController().signal);
    const after = await archive.manifests.read(0);
    expect(after.segments).toEqual(before.segments.slice(1));
    expect(after.position).toBe(before.position);
    expect(await objects()).toEqual([after.segments[0]!.object, manifestNameOf(0)].sort());
    await upkeepOf(archive, 0).tidy(0, new AbortController().signal);
    expect(await archive.manifests.read(0)).toMatchObject({ segments: [], position: before.position });
    expect(await objects()).toEqual([manifestNameOf(0)]);
  });
});

describe('an archive that knows more than the database', () => {
  const forgetDatabase = () => postgres.pool.query('TRUNCATE archive_partitions, archive_segments');

  it.each([
    ['and a log that has everything', 0],
    ['and a log that has lost most of it', 8],
  ])('is carried on %s', async (_, gone) => {
    const batches = await append(10);
    const before = await archived(4);
    await forgetDatabase();
    await append(2, 0, 'later');
    const window = new LogWindow(log);
    window.goneThrough = batches[gone - 1]?.position ?? null;
    const position = await log.end(0);
    const after = await archiveUpTo({ archive, log: window, partition: 0, position, segmentEventsMax: 4 });
    expect(after.segments.slice(0, before.segments.length)).toEqual(before.segments);
    expect(after.revision).toBeGreaterThan(before.revision);
    expectUnbroken(after);
    expect(await archivedBatches(archive, 0)).toStrictEqual(await allBatches(log, 0));
  });

  it.each([
    ['shorter', 2],
    ['longer', 30],
  ])('is left alone where the log is another one, %s than what it holds', async (_, length) => {
    await append(10);
    const before = await archived(4);
    await forgetDatabase();
    const other = openLog(join(directory, 'other'), PARTITIONS);
    for (let index = 0; index < length; index++) await other.append(0, batchNamed(`other${index}`, 2));
    const kept = await objects();
    const telemetry = new Telemetry('silent');
    const following = follow(archiverOf(archive, other, { telemetry: new ArchiveTelemetry(telemetry) }));
    const failures = telemetry.registry.getSingleMetric('tidemark_archive_failures_total')!;
    await until(async () => ((await failures.get()).values[0]?.value ?? 0) > 0);
    await following.stop();
    await other.close();
    expect(await objects()).toEqual(kept);
    expect((await archive.manifests.read(0)).position).toBeNull();
    expect(before.segments.length).toBeGreaterThan(0);
  });
});

describe('the module', () => {
  const moduleWith = async (environment: Record<string, string>) => {
    @Global()
    @Module({
      providers: [
        { provide: Pool, useValue: postgres.pool },
        { provide: TrackingLog, useValue: log },
      ],
      exports: [Pool, TrackingLog],
    })
    class Foundations {}
    return Test.createTestingModule({
      imports: [
        ConfigModule.with(readConfig(environment)),
        TelemetryModule.with(new Telemetry('silent')),
        Foundations,
        ArchiveModule,
      ],
    }).compile();
  };

  it('has an archiver where ARCHIVE_URL names a directory', async () => {
    const batches = await append(3);
    const modules = await moduleWith({
      ARCHIVE_URL: join(directory, 'archive'),
      ARCHIVE_SEGMENT_INTERVAL_MS: '10',
    });
    const following = follow(modules.get<PartitionArchiver>(PartitionArchiver));
    await until(positionIs(batches.at(-1)!.position));
    await following.stop();
    expect(await allBatches(modules.get(ArchivedLog), 0)).toEqual(batches);
    expect(await archivedBatches(archive, 0)).toEqual(batches);
  });

  it('has none, and the log alone, where it names nothing', async () => {
    const batches = await append(3);
    const modules = await moduleWith({});
    expect(modules.get(PartitionArchiver)).toBeNull();
    expect(await allBatches(modules.get(ArchivedLog), 0)).toEqual(batches);
  });

  it.each([
    [{ ARCHIVE_URL: 's3://bucket/prefix' }, /ARCHIVE_S3_ACCESS_KEY_ID/],
    [{ ARCHIVE_URL: '/dev/null/archive' }, /ARCHIVE_URL/],
  ])('says what is wrong with %j', async (environment, message) => {
    await expect(moduleWith(environment as Record<string, string>)).rejects.toThrow(message);
  });

  it.each(['ftp://host/path', 's3://', 's3://bucket/with space'])('refuses %s', (url) => {
    expect(() => readConfig({ ARCHIVE_URL: url })).toThrow(/ARCHIVE_URL: must be/);
  });
});
