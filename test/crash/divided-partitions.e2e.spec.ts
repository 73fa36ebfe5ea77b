// Several projectors of the compiled product on one log, one of them killed, hung or stopped under
// load: the others take its partitions over in time, and the numbers are those of the naive fold.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config/config.js';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { CATALOG } from '../catalog.js';
import { Checkpoints } from '../../src/modules/projections/checkpoint.js';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import { MEMBERSHIP_MS } from '../../src/modules/projections/sharing/partition-sharing.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { partitionOf } from '../../src/tracking-log/partitioning.js';
import { openTrackingLog } from '../../src/tracking-log/tracking-log.module.js';
import type { TrackingLog } from '../../src/tracking-log/tracking-log.js';
import { caughtUp } from '../projecting.js';
import { expectedReadModels, storedReadModels } from '../read-models.js';
import { describeWith } from '../servers/describe-with.js';
import { startKafka, type TestKafka } from '../servers/kafka.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { trouble } from '../traffic.js';
import { ProjectorProcess } from './projector-process.js';

const PARTITIONS = 4;
/** More than are sent before the tests are over. */
const EVENTS = 60_000;
const BATCH_EVENTS = 10;
const BATCH_INTERVAL_MS = 50;
const TAKEOVER_MS = 15_000;
/** What a busy machine may add. */
const SLACK_MS = 15_000;

jest.setTimeout(300_000);

describe('projectors on the embedded log', () => {
  sharedPartitions(() => Promise.resolve({}));
});

describeWith('own-kafka', 'projectors on Kafka', () => {
  let kafka: TestKafka;
  sharedPartitions(async () => {
    kafka = await startKafka({ own: true });
    return { KAFKA_BROKERS: kafka.brokers.join() };
  });
  afterAll(() => kafka.stop());
});

function sharedPartitions(startLog: () => Promise<Readonly<Record<string, string>>>): void {
  const made = trouble({
    seed: 11,
    events: EVENTS,
    visitors: 60,
    days: 2,
    from: Date.UTC(2026, 2, 30),
    sites: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
  });
  const running = new Set<ProjectorProcess>();
  let postgres: MigratedPostgres;
  let directory: string;
  let environment: Readonly<Record<string, string>>;
  let log: TrackingLog;
  let checkpoints: Checkpoints;
  let appended: TrackedEvent[] = [];
  let loading: Promise<void>;
  let loaded = false;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    await createReadModelTables(postgres.pool, CATALOG);
    checkpoints = new Checkpoints(postgres.pool, CATALOG);
    directory = await mkdtemp(join(tmpdir(), 'tidemark-shared-'));
    environment = {
      DATA_DIR: directory,
      DATABASE_URL: postgres.url,
      TRACKING_LOG_PARTITIONS: String(PARTITIONS),
      PROJECTOR_FLUSH_INTERVAL_MS: '500',
      ...(await startLog()),
    };
    log = await openTrackingLog(readConfig(environment), new Telemetry('silent'));
    loading = load();
  }, 240_000);

  afterAll(async () => {
    for (const projector of running) await projector.end('SIGKILL');
    loaded = true;
    await loading;
    await log.close();
    await rm(directory, { recursive: true, force: true });
    await postgres.stop();
  });

  /** All the time, whatever happens to the projectors. */
  async function load(): Promise<void> {
    while (!loaded && appended.length < made.length) {
      const events = made.slice(appended.length, appended.length + BATCH_EVENTS);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const batch = events.filter(({ site }) => partitionOf(site, PARTITIONS) === partition);
        if (batch.length === 0) continue;
        expect((await log.append(partition, batch)).outcome).toBe('appended');
      }
      appended = made.slice(0, appended.length + events.length);
      await sleep(BATCH_INTERVAL_MS);
    }
  }

  async function start(): Promise<ProjectorProcess> {
    const projector = await ProjectorProcess.start(environment);
    running.add(projector);
    return projector;
  }

  async function end(projector: ProjectorProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await projector.end(signal);
    running.delete(projector);
  }

  /** How long it took until the projectors had so many partitions, in ms. */
  async function assigned(...wanted: readonly (readonly [ProjectorProcess, number])[]): Promise<number> {
    const since = performance.now();
    for (;;) {
      const counts = await Promise.all(wanted.map(([projector]) => projector.assigned()));
      if (counts.every((count, index) => count === wanted[index]![1])) return performance.now() - since;
      if (performance.now() - since > 4 * TAKEOVER_MS) throw new Error(`Assigned are ${counts.join()}`);
      await sleep(50);
    }
  }

  /** Settles when every partition's checkpoint has moved: what was read before it is behind. */
  async function movedOn(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const before = await checkpoints.read(partition);
      while ((await checkpoints.read(partition)) === before) await sleep(50);
    }
  }

  async function expectExact(): Promise<void> {
    loaded = true;
    await loading;
    await caughtUp(log, checkpoints);
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(appended));
    const { rows } = await postgres.pool.query('SELECT error FROM dead_letters');
    expect(rows).toEqual([]);
    loaded = false;
    loading = load();
  }

  it('get a fair share each, and what a killed one had goes to the other', async () => {
    const one = await start();
    await assigned([one, PARTITIONS]);
    const two = await start();
    await assigned([one, 2], [two, 2]);
    await sleep(1_000);
    await end(two, 'SIGKILL');
    expect(await assigned([one, PARTITIONS])).toBeLessThan(TAKEOVER_MS + SLACK_MS);
    await expectExact();
  });

  it('that hang longer than they may write nothing when they wake up', async () => {
    const [one] = [...running] as [ProjectorProcess];
    const two = await start();
    await assigned([one, 2], [two, 2]);
    await sleep(1_000);
    // Where it hangs in the middle of all its commits, PostgreSQL ends them before it can lose them.
    while ((await one.metric('tidemark_projections_runs_abandoned_total')) === 0) {
      one.pause();
      expect(await assigned([two, PARTITIONS])).toBeLessThan(TAKEOVER_MS + SLACK_MS);
      await movedOn();
      one.resume();
      await assigned([one, 2], [two, 2]);
    }
    await expectExact();
  });

  it('that are stopped hand over at once', async () => {
    const [one, two] = [...running] as [ProjectorProcess, ProjectorProcess];
    await assigned([one, 2], [two, 2]);
    await end(one, 'SIGTERM');
    expect(await assigned([two, PARTITIONS])).toBeLessThan(MEMBERSHIP_MS - 2_000);
    await expectExact();
  });
}
