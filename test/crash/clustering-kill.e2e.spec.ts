// A projector killed with -9 while it clusters a day: what it had moved is there once, and the next one goes on
// until every day is clustered.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import { CATALOG } from '../catalog.js';
import { appendInBatches, openLog } from '../projecting.js';
import { expectedReadModels, readModelBytes, storedReadModels } from '../read-models.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { trouble } from '../traffic.js';
import { ProjectorProcess } from './projector-process.js';

const PARTITIONS = 2;
/** Each day of the month is one move for each partition that has rows. */
const MOVES_BEFORE_DEATH = 3;
const PATIENCE_MS = 90_000;

const made = trouble({
  ...{ seed: 14, events: 2_000, visitors: 40, days: 5 },
  ...{ from: Date.UTC(2026, 2, 10), sites: ['a', 'b', 'c', 'd', 'e', 'f'] },
});

describe('kill -9 in the middle of clustering', () => {
  let postgres: MigratedPostgres;
  let directory: string;
  let projector: ProjectorProcess | undefined;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    await createReadModelTables(postgres.pool, CATALOG);
    directory = await mkdtemp(join(tmpdir(), 'tidemark-clustering-'));
    const log = openLog(join(directory, 'tracking-log'), PARTITIONS);
    await appendInBatches(log, made, 2);
    await log.close();
  });
  afterAll(async () => {
    await projector?.end('SIGKILL');
    await postgres.stop();
    await rm(directory, { recursive: true });
  });

  const start = (environment: Readonly<Record<string, string>> = {}): Promise<ProjectorProcess> =>
    ProjectorProcess.start({
      DATA_DIR: directory,
      DATABASE_URL: postgres.url,
      TRACKING_LOG_PARTITIONS: String(PARTITIONS),
      ...environment,
    });

  const days = async (condition: string): Promise<number> =>
    (await postgres.pool.query(`SELECT FROM clustered_days WHERE ${condition}`)).rowCount!;

  it('leaves every row as it was, and the rest to the next life', async () => {
    projector = await start({ FAILPOINT: `clustering.before-commit:${MOVES_BEFORE_DEATH}` });
    expect(await projector.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(await days('clustered_at IS NULL AND moves > 0')).toBe(1);
    const moves = await postgres.pool.query<{ sum: string }>('SELECT sum(moves) FROM clustered_days');
    expect(Number(moves.rows[0]!.sum)).toBe(MOVES_BEFORE_DEATH);
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
    const before = await readModelBytes(postgres.pool);

    projector = await start();
    const until = Date.now() + PATIENCE_MS;
    while ((await days('clustered_at IS NOT NULL')) < 31) {
      expect(Date.now()).toBeLessThan(until);
      await sleep(100);
    }
    expect(await days('clustered_at IS NULL')).toBe(0);
    expect(await readModelBytes(postgres.pool)).toEqual(before);
  }, 300_000);
});
