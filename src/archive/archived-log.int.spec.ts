// Archive and log as one: a real log, a real manifest, real objects; the log's end and beginning are moved.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allBatches, archivedBatches, archiveIn, archiveUpTo, expectUnbroken } from '../../test/archiving.js';
import { batchNamed } from '../../test/crash/named-batches.js';
import { LogWindow } from '../../test/log-window.js';
import { openLog } from '../../test/projecting.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../test/servers/postgres.js';
import {
  InvalidPositionError,
  type RecordedBatch,
  type TrackingLog,
  TruncatedLogError,
} from '../tracking-log/tracking-log.js';
import { type Archive, DamagedSegmentError } from './archive.js';
import { MissingObjectError } from './archive-store.js';
import { ArchivedLog } from './archived-log.js';

let postgres: MigratedPostgres;
let directory: string;
let log: TrackingLog;
let window: LogWindow;
let archive: Archive;
let both: ArchivedLog;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-archived-'));
  log = openLog(join(directory, 'log'), 1);
  window = new LogWindow(log);
  archive = await archiveIn(join(directory, 'archive'), postgres.pool);
  both = new ArchivedLog(archive, window);
  await postgres.pool.query('TRUNCATE archive_partitions, archive_segments');
});
afterEach(async () => {
  await log.close();
  await rm(directory, { recursive: true });
});

async function append(count: number, name = 'b'): Promise<RecordedBatch[]> {
  for (let index = 0; index < count; index++)
    await log.append(0, batchNamed(`${name}${index}`, 1 + (index % 3)));
  return allBatches(log, 0);
}

async function archiveThrough(batch: RecordedBatch | undefined, segmentEventsMax: number): Promise<void> {
  window.end = batch?.position ?? null;
  const position = batch?.position ?? null;
  await archiveUpTo({ archive, log: window, partition: 0, position, segmentEventsMax });
  window.end = undefined;
}

describe('archive and log together', () => {
  it.each([
    ['of one batch each', 1],
    ['of some batches each', 5],
    ['merged into larger ones', 1_000],
  ])(
    'have every batch once, wherever the archive ends, the log begins and reading begins; with segments %s',
    async (_, segmentEventsMax) => {
      const batches = await append(9);
      for (let archived = 0; archived <= batches.length; archived++) {
        await archiveThrough(batches[archived - 1], segmentEventsMax);
        for (let gone = 0; gone <= archived; gone++) {
          window.goneThrough = batches[gone - 1]?.position ?? null;
          for (let from = 0; from <= batches.length; from++) {
            const read = await allBatches(both, 0, batches[from - 1]?.position ?? null);
            expect(read).toStrictEqual(batches.slice(from));
          }
        }
        window.goneThrough = null;
      }
      expectUnbroken(await archive.manifests.read(0));
    },
  );

  it('follow the log where it goes on, and end with the signal', async () => {
    const batches = await append(6);
    await archiveThrough(batches[3], 2);
    const stopping = new AbortController();
    const seen: RecordedBatch[] = [];
    for await (const batch of both.read(0, null, { follow: true, signal: stopping.signal })) {
      seen.push(batch);
      if (seen.length === 6) await append(2, 'late');
      if (seen.length === 8) stopping.abort();
    }
    expect(seen).toEqual(await allBatches(log, 0));
  });

  it('end with the signal in the middle of a segment', async () => {
    const batches = await append(6);
    await archiveThrough(batches[5], 1_000);
    const stopping = new AbortController();
    const seen: RecordedBatch[] = [];
    for await (const batch of both.read(0, null, { follow: false, signal: stopping.signal })) {
      seen.push(batch);
      if (seen.length === 2) stopping.abort();
    }
    expect(seen).toEqual(batches.slice(0, 2));
  });

  it('are read to the end also while segments are merged away under the reader', async () => {
    const batches = await append(12);
    for (const batch of batches.slice(0, 7)) await archiveThrough(batch, 1_000);
    window.goneThrough = batches[6]!.position;
    const { segments: before } = await archive.manifests.read(0);
    const seen: RecordedBatch[] = [];
    for await (const batch of both.read(0, null, { follow: false })) {
      seen.push(batch);
      if (seen.length === 2) await archiveThrough(batches[9], 1_000);
    }
    const { segments: after } = await archive.manifests.read(0);
    expect([before.length, after.length]).toEqual([7, 1]);
    expect(seen).toStrictEqual(batches);
  });

  it('begin with the log where it is kept for longer than the archive, and else with the archive', async () => {
    const batches = await append(9);
    for (const batch of batches.slice(0, 6)) await archiveThrough(batch, 1_000);
    const manifest = await archive.manifests.read(0);
    await archive.manifests.change(manifest, { removed: manifest.segments.slice(0, 3) });
    expect(await allBatches(both, 0)).toEqual(batches);
    expect(await allBatches(both, 0, batches[0]!.position)).toEqual(batches.slice(1));
    window.goneThrough = batches[2]!.position;
    expect(await allBatches(both, 0)).toEqual(batches.slice(3));
    window.goneThrough = batches[4]!.position;
    expect(await allBatches(both, 0)).toEqual(batches.slice(3));
    await expect(allBatches(both, 0, batches[0]!.position)).rejects.toThrow(TruncatedLogError);
  });

  it('do not skip what neither of them has', async () => {
    const batches = await append(6);
    for (const batch of batches.slice(0, 4)) await archiveThrough(batch, 1_000);
    const manifest = await archive.manifests.read(0);
    await archive.manifests.change(manifest, { removed: manifest.segments.slice(1, 2) });
    const seen: RecordedBatch[] = [];
    const reading = (async () => {
      for await (const batch of both.read(0, null, { follow: false })) seen.push(batch);
    })();
    await expect(reading).rejects.toThrow(TruncatedLogError);
    expect(seen).toEqual(batches.slice(0, 1));
  });

  it('do not skip what the log had lost before it was archived, also where that was accepted', async () => {
    const batches = await append(6);
    await archiveThrough(batches[1], 1_000);
    window.goneThrough = batches[3]!.position;
    await postgres.pool.query('UPDATE archive_partitions SET position = NULL, revision = revision + 1');
    await archiveThrough(batches[4], 1_000);
    expect(await allBatches(both, 0, batches[4]!.position)).toEqual(batches.slice(5));
    const seen: RecordedBatch[] = [];
    const reading = (async () => {
      for await (const batch of both.read(0, null, { follow: false })) seen.push(batch);
    })();
    await expect(reading).rejects.toThrow(TruncatedLogError);
    expect(seen).toEqual(batches.slice(0, 2));
  });

  it('refuse a position beyond both', async () => {
    await append(2);
    await expect(allBatches(both, 0, '77')).rejects.toThrow(InvalidPositionError);
  });
});

describe('an object of the archive', () => {
  it.each([
    ['is damaged', (bytes: Buffer) => bytes.fill(bytes[300]! ^ 1, 300, 301)],
    ['was cut short', (bytes: Buffer) => bytes.subarray(0, -5)],
  ])('that %s is an error that names it, and gives nothing', async (_, damage) => {
    const batches = await append(4);
    for (const batch of batches) await archiveThrough(batch, 1_000);
    const { object } = (await archive.manifests.read(0)).segments[2]!;
    const path = join(directory, 'archive', object);
    await writeFile(path, damage(await readFile(path)));
    const seen: RecordedBatch[] = [];
    const reading = (async () => {
      for await (const batch of both.read(0, null, { follow: false })) seen.push(batch);
    })();
    await expect(reading).rejects.toThrow(DamagedSegmentError);
    await expect(reading).rejects.toThrow(object);
    expect(seen).toEqual(batches.slice(0, 2));
  });

  it('that is gone is an error that names it', async () => {
    const batches = await append(2);
    await archiveThrough(batches[1], 1_000);
    const { object } = (await archive.manifests.read(0)).segments[0]!;
    await archive.store.delete(object);
    await expect(allBatches(both, 0)).rejects.toThrow(new MissingObjectError(object));
  });
});

describe('what may no longer be seen', () => {
  const erased = (name: string) =>
    archiveIn(archive.store, postgres.pool, (events) =>
      events.filter(({ id }) => !id.startsWith(`${name}/`)),
    );

  it('is in no answer, from the archive or from the log, and costs no position', async () => {
    const batches = await append(4);
    await archiveThrough(batches[2], 1_000);
    for (const [index, { events }] of batches.entries()) {
      const [name] = events[0]!.id.split('/');
      const read = await allBatches(new ArchivedLog(await erased(name!), window), 0);
      const kept = batches.map((batch, at) => (at === index ? { ...batch, events: [] } : batch));
      expect(read).toEqual(kept);
    }
  });

  it('is not in the objects any more once they were merged, and nothing else is missing', async () => {
    const batches = await append(8);
    for (const batch of batches.slice(0, 7)) await archiveThrough(batch, 1_000);
    archive = await erased('b2');
    await archiveThrough(batches[7], 1_000);
    const unfiltered = await archiveIn(archive.store, postgres.pool);
    expect((await archive.manifests.read(0)).segments).toHaveLength(1);
    expect(await archivedBatches(unfiltered, 0)).toEqual(batches.filter((_, index) => index !== 2));
    expectUnbroken(await archive.manifests.read(0));
  });

  it('may be all that a segment had', async () => {
    const batches = await append(8);
    for (const batch of batches.slice(0, 7)) await archiveThrough(batch, 1_000);
    archive = await archiveIn(archive.store, postgres.pool, () => []);
    await archiveThrough(batches[7], 1_000);
    const { position, appendedAt } = batches[7]!;
    const unfiltered = await archiveIn(archive.store, postgres.pool);
    expect(await allBatches(new ArchivedLog(unfiltered, window), 0)).toEqual([
      { position, appendedAt, events: [] },
    ]);
  });
});

it('is the log alone where there is no archive', async () => {
  const batches = await append(3);
  expect(await allBatches(new ArchivedLog(null, log), 0, batches[0]!.position)).toEqual(batches.slice(1));
});
