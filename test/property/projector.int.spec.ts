// The law of the projector: whatever the order of arrival, the repeats, the cut into batches, the
// memory and the restarts, the read models are those of the naive fold, byte for byte the same.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { CATALOG } from '../catalog.js';
import { Checkpoints } from '../../src/modules/projections/checkpoint.js';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import { partitionOf } from '../../src/tracking-log/partitioning.js';
import type { TrackingLog } from '../../src/tracking-log/tracking-log.js';
import { appendInBatches, openLog, project } from '../projecting.js';
import { expectedReadModels, readModelBytes, storedReadModels } from '../read-models.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { shuffled, trouble } from '../traffic.js';

const FROM = Date.UTC(2026, 2, 30);
const PARTITIONS = 2;

describe('projector', () => {
  let postgres: MigratedPostgres;
  const opened: { log: TrackingLog; directory: string }[] = [];

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    await createReadModelTables(postgres.pool, CATALOG);
  });

  afterAll(async () => {
    await postgres?.stop();
    for (const { log, directory } of opened) {
      await log.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  async function freshLog(): Promise<TrackingLog> {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-projector-'));
    const log = openLog(directory, PARTITIONS);
    opened.push({ log, directory });
    await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters');
    return log;
  }

  it('gives the naive fold’s read models for any arrival, batches, memory and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          shuffle: fc.boolean(),
          events: fc.integer({ min: 1, max: 250 }),
          visitors: fc.integer({ min: 1, max: 10 }),
          days: fc.integer({ min: 1, max: 4 }),
          flushEventsMax: fc.constantFrom(1, 7, 60, 10_000),
          eventsInMemoryMax: fc.constantFrom(0, 30, 100_000),
          restarts: fc.integer({ min: 0, max: 3 }),
        }),
        async ({ seed, shuffle, events, visitors, days, restarts, flushEventsMax, eventsInMemoryMax }) => {
          const made = trouble({ seed, events, visitors, days, from: FROM, sites: ['a', 'b', 'c'] });
          const arrived = shuffle ? shuffled(made, seed) : made;
          const log = await freshLog();
          const share = Math.ceil(arrived.length / (restarts + 1));
          for (let part = 0; part <= restarts; part++) {
            await appendInBatches(log, arrived.slice(part * share, (part + 1) * share), seed + part);
            const projecting = project(log, postgres.pool, {
              flushEventsMax,
              eventsInMemoryMax: () => eventsInMemoryMax,
              flushIntervalMs: 5,
            });
            // The last one is left in peace; the others are stopped wherever they are.
            if (part === restarts) await projecting.caughtUp();
            await projecting.stop();
          }
          expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
          const { rows } = await postgres.pool.query('SELECT * FROM dead_letters');
          expect(rows).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  }, 300_000);

  it('writes the same bytes for the same events, in order at once or shuffled in small runs', async () => {
    const made = trouble({ seed: 7, events: 3_000, visitors: 60, days: 3, from: FROM, sites: ['a', 'b'] });
    const bytes: string[][] = [];
    for (const arrived of [made, shuffled(made, 3)]) {
      const log = await freshLog();
      await appendInBatches(log, arrived, 11);
      const ordered = arrived === made;
      const projecting = project(log, postgres.pool, {
        flushEventsMax: ordered ? 10_000 : 100,
        eventsInMemoryMax: () => (ordered ? 100_000 : 50),
      });
      await projecting.caughtUp();
      await projecting.stop();
      bytes.push(await readModelBytes(postgres.pool));
    }
    expect(bytes[0]!.length).toBeGreaterThan(500);
    const [ordered, disordered] = bytes.map((rows) => new Set(rows));
    expect([...disordered!].filter((row) => !ordered!.has(row)).slice(0, 3)).toEqual([]);
    expect(disordered!.size).toBe(ordered!.size);
  });

  it('lets only one of two projectors of a partition write, and both together change nothing', async () => {
    const made = trouble({ seed: 9, events: 2_000, visitors: 40, days: 2, from: FROM, sites: ['a', 'b'] });
    const log = await freshLog();
    const rivals = [1, 2].map(() => project(log, postgres.pool, { flushEventsMax: 50 }));
    await appendInBatches(log, made, 5);
    await rivals[0]!.caughtUp();
    for (const rival of rivals) await rival.stop();
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
  });

  it('puts an event that cannot be folded or stored aside and goes on with the others', async () => {
    const made = trouble({ seed: 4, events: 120, visitors: 6, days: 1, from: FROM, sites: ['a', 'b'] });
    // Neither may get past intake; a log written by a faulty one may hold them all the same.
    const unstorable = { ...made[40]!, id: 'unstorable', url: 'https://a.example/\0' };
    const unreadable = { ...made[80]!, id: 'unreadable', url: 17 as unknown as string };
    const log = await freshLog();
    await appendInBatches(
      log,
      [...made.slice(0, 60), unstorable, ...made.slice(60, 90), unreadable, ...made.slice(90)],
      2,
    );
    const projecting = project(log, postgres.pool);
    await projecting.caughtUp();
    await projecting.stop();
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
    const { rows } = await postgres.pool.query('SELECT event_id, error FROM dead_letters ORDER BY event_id');
    expect(rows).toEqual([
      { event_id: 'unreadable', error: expect.any(String) },
      { event_id: 'unstorable', error: expect.stringContaining('0x00') },
    ]);
  });

  it('folds nothing while its projections stand apart, and says what to do', async () => {
    const made = trouble({ seed: 6, events: 50, visitors: 5, days: 1, from: FROM, sites: ['a'] });
    const log = await freshLog();
    await appendInBatches(log, made, 2);
    const first = project(log, postgres.pool);
    await first.caughtUp();
    await first.stop();
    const added = { ...CATALOG.find(({ name }) => name === 'traffic')!, name: 'added' };
    const checkpoints = new Checkpoints(postgres.pool, [...CATALOG, added]);
    await expect(checkpoints.read(partitionOf('a', PARTITIONS))).rejects.toThrow(
      /added@1 at the beginning, sessions@1 at \d+.*Build another one with/,
    );
  });

  it('moves the watermark on while nothing arrives, and counts every event once', async () => {
    const made = trouble({ seed: 5, events: 50, visitors: 5, days: 1, from: FROM, sites: ['a'] });
    const log = await freshLog();
    await appendInBatches(log, made, 2);
    const projecting = project(log, postgres.pool);
    await projecting.caughtUp();
    const read = async () =>
      (
        await postgres.pool.query<{ watermark: Date; events: string }>(
          `SELECT watermark, events FROM checkpoints WHERE projection = 'traffic' AND partition = $1`,
          [partitionOf('a', PARTITIONS)],
        )
      ).rows[0]!;
    const first = await read();
    await sleep(2_500);
    const later = await read();
    await projecting.stop();
    expect(later.watermark.getTime()).toBeGreaterThan(first.watermark.getTime());
    expect(Date.now() - later.watermark.getTime()).toBeLessThan(60_000);
    expect(Number(later.events)).toBe(50);
  });
});
