// The law of rebuilds: whatever the log, the size of the buckets and the interruptions, the rebuilt read
// models are those that were built live, byte for byte, and go on as those do.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { projectionsOf } from '../../src/modules/projections/definition.js';
import { DEFINITIONS } from '../../src/modules/projections/catalog/catalog.js';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import type { TrackingLog } from '../../src/tracking-log/tracking-log.js';
import { CATALOG } from '../catalog.js';
import { appendInBatches, openLog, project } from '../projecting.js';
import { readModelBytes } from '../read-models.js';
import { dropVersion, rebuild } from '../rebuilding.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { shuffled, trouble } from '../traffic.js';

const FROM = Date.UTC(2026, 2, 30);
const PARTITIONS = 2;

describe('a rebuild', () => {
  let postgres: MigratedPostgres;
  let directory: string;
  let logs = 0;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    await createReadModelTables(postgres.pool, CATALOG);
    directory = await mkdtemp(join(tmpdir(), 'tidemark-rebuild-'));
  });

  afterAll(async () => {
    await postgres?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function projectedLog(events: readonly TrackedEvent[], seed: number): Promise<TrackingLog> {
    await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters');
    await dropVersion(postgres.pool, 2);
    const log = openLog(join(directory, `log-${logs++}`), PARTITIONS);
    await appendInBatches(log, events, seed);
    const projecting = project(log, postgres.pool);
    await projecting.caughtUp();
    await projecting.stop();
    return log;
  }

  const buckets = () => join(directory, `buckets-${logs}`);

  it('gives the bytes of the live read models, for any log and size of buckets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          shuffle: fc.boolean(),
          events: fc.integer({ min: 0, max: 300 }),
          visitors: fc.integer({ min: 1, max: 10 }),
          days: fc.integer({ min: 1, max: 4 }),
          bucketEventsMax: fc.constantFrom(3, 20, 10_000),
        }),
        async ({ seed, shuffle, events, visitors, days, bucketEventsMax }) => {
          const made = trouble({ seed, events, visitors, days, from: FROM, sites: ['a', 'b', 'c'] });
          const log = await projectedLog(shuffle ? shuffled(made, seed) : made, seed);
          await rebuild(log, postgres.pool, { version: 2, directory: buckets(), bucketEventsMax });
          expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));
          await log.close();
        },
      ),
      { numRuns: 40 },
    );
  }, 300_000);

  it('goes on after interruptions, on another machine too, and then as the live one does', async () => {
    const made = trouble({ seed: 21, events: 6_000, visitors: 200, days: 3, from: FROM, sites: ['a', 'b'] });
    const log = await projectedLog(made.slice(0, 5_000), 3);
    let interruptions = 0;
    for (let afterMs = 5; ; afterMs += 15) {
      const stopping = new AbortController();
      const building = rebuild(log, postgres.pool, {
        version: 2,
        // Every third time the files are not there.
        directory: `${buckets()}-${interruptions % 3}`,
        bucketEventsMax: 100,
        signal: stopping.signal,
      });
      const stopped = await Promise.race([building.then(() => false), sleep(afterMs, true)]);
      stopping.abort();
      await building;
      if (!stopped) break;
      interruptions++;
    }
    expect(interruptions).toBeGreaterThan(3);
    expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));

    await appendInBatches(log, made.slice(5_000), 4);
    const versions = [1, 2].map((version) =>
      project(log, postgres.pool, { projections: projectionsOf(DEFINITIONS.at(-1)!, version) }),
    );
    for (const projecting of versions) {
      await projecting.caughtUp();
      await projecting.stop();
    }
    expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));
    await log.close();
  });

  it('names an event that cannot be interpreted and writes nothing of its bucket', async () => {
    const made = trouble({ seed: 4, events: 120, visitors: 6, days: 1, from: FROM, sites: ['a'] });
    const unreadable = { ...made[80]!, id: 'unreadable', url: 17 as unknown as string };
    const log = await projectedLog([...made.slice(0, 90), unreadable, ...made.slice(90)], 2);
    const building = rebuild(log, postgres.pool, {
      version: 2,
      directory: buckets(),
      bucketEventsMax: 10_000,
    });
    await expect(building).rejects.toThrow('Event unreadable of site a cannot be interpreted');
    expect(await readModelBytes(postgres.pool, 2)).toEqual([]);
    await log.close();
  });
});
