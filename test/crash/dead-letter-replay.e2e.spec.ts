// The product killed with -9 in the middle of a replay, after its events are in the log and before the
// letter is gone: it is done again by the next life, and every event is counted once.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { insertDeadLetters } from '../../src/modules/projections/dead-letters/dead-letter-writer.js';
import { partitionOf } from '../../src/tracking-log/partitioning.js';
import { openLog } from '../projecting.js';
import { expectedReadModels, storedReadModels } from '../read-models.js';
import { freePort } from '../servers/free-port.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { trouble } from '../traffic.js';
import { Child } from './child.js';

const OPERATOR_KEY = 'operator-key-of-the-crash-test-0123456789';
const PARTITIONS = 2;
const LETTERS = '/admin/v1/dead-letters';

const made = trouble({
  ...{ seed: 12, events: 80, visitors: 6, days: 1 },
  ...{ from: Date.UTC(2026, 2, 30), sites: ['a', 'b'] },
});
const isOnly = ({ id }: TrackedEvent): boolean => made.filter((event) => event.id === id).length === 1;
/** One is in the log, and was counted after all; the other's only copy is in its letter. */
const [counted, missing] = made.filter(isOnly) as [TrackedEvent, TrackedEvent];

describe('kill -9 in the middle of a replay', () => {
  let postgres: MigratedPostgres;
  let directory: string;
  let port: number;
  let child: Child;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    directory = await mkdtemp(join(tmpdir(), 'tidemark-replay-'));
    port = await freePort();
    const log = openLog(join(directory, 'tracking-log'), PARTITIONS);
    for (const event of made) {
      if (event !== missing) await log.append(partitionOf(event.site, PARTITIONS), [event]);
    }
    await log.close();
    const client = await postgres.pool.connect();
    await insertDeadLetters(
      client,
      [counted, missing].map((event, index) => {
        const partition = partitionOf(event.site, PARTITIONS);
        const place = { projection: 'sessions', version: 1, partition, position: '1', index };
        return { kind: 'event', ...place, event, error: 'a bug that is mended' } as const;
      }),
    );
    client.release();
  });
  afterAll(async () => {
    await child?.kill('SIGTERM');
    await postgres.stop();
    await rm(directory, { recursive: true });
  });

  async function start(failpoint?: string): Promise<void> {
    child = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: directory,
        DATABASE_URL: postgres.url,
        TRACKING_LOG_PARTITIONS: String(PARTITIONS),
        PORT: String(port),
        OPERATOR_KEY,
        LOG_LEVEL: 'warn',
        PROJECTOR_FLUSH_INTERVAL_MS: '50',
        ...(failpoint && { FAILPOINT: failpoint }),
      },
    });
    for (;;) {
      const ended = await Promise.race([child.ended, sleep(50)]);
      if (ended) throw new Error(`The process ended at boot:\n${child.stderr}`);
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
      if (ready?.ok) return;
    }
  }

  const call = (method: string, path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR_KEY}` },
    });

  const listed = async (): Promise<string[]> => {
    const body = (await (await call('GET', LETTERS)).json()) as { deadLetters: { id: string }[] };
    return body.deadLetters.map(({ id }) => id).sort();
  };

  async function copiesInLog(): Promise<Record<string, number>> {
    const log = openLog(join(directory, 'tracking-log'), PARTITIONS);
    const copies: Record<string, number> = {};
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for await (const { events } of log.read(partition, null, { follow: false })) {
        for (const { id } of events) copies[id] = (copies[id] ?? 0) + 1;
      }
    }
    await log.close();
    return copies;
  }

  it('counts every event once, whether it was counted before or not', async () => {
    await start('dead-letters.before-delete:0');
    const ids = await listed();
    expect(ids).toHaveLength(2);
    await Promise.allSettled(ids.map((id) => call('POST', `${LETTERS}/${id}/replay`)));
    expect(await child.ended).toMatchObject({ signal: 'SIGKILL' });
    const { rows } = await postgres.pool.query('SELECT id FROM dead_letters');
    expect(rows).toHaveLength(2);

    // What was requested is durable: nobody asks again.
    await start();
    while ((await listed()).length > 0) await sleep(20);
    const expected = JSON.stringify(expectedReadModels(made));
    while (JSON.stringify(await storedReadModels(postgres.pool)) !== expected) await sleep(50);
    await sleep(500);
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));

    // The killed life appended one of them already, so that one is there once more.
    await child.kill('SIGTERM');
    const copies = await copiesInLog();
    expect(copies[counted.id]! + copies[missing.id]!).toBe(1 + 2 + 1);
  });
});
