// How jobs end that do not end well, and that a node lets go of what is no longer its own: the runner on real
// PostgreSQL, with kinds of work that break, wait and refuse.
import { setTimeout as delay } from 'node:timers/promises';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { readConfig } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { Job } from './job.js';
import { JobLostError, JobQueue } from './job-queue.js';
import { JobRunner } from './job-runner.js';
import { JobTable } from './job-table.js';
import type { JobTask, WorkDone } from './job-work.js';
import { JobsTelemetry } from './jobs.telemetry.js';
import { ResultStore } from './result-store.js';

const config = readConfig({ JOBS_WAITING_PER_SITE_MAX: '100', JOBS_RUNNING_MAX: '1' });
const PROGRESS = { rows: 1, rowsExpected: null, share: null };

let postgres: MigratedPostgres;
let table: JobTable;
let queue: JobQueue;
let runner: JobRunner;
let begun: string[];

const KINDS: Readonly<Record<string, (task: JobTask) => Promise<WorkDone>>> = {
  breaks: async ({ result }) => {
    await result.append(Buffer.from('half'), PROGRESS, '1');
    throw new Error('a secret of the inside');
  },
  refuses: async () => {
    throw Problem.badRequest('date_range: never', [{ path: 'date_range', message: 'never' }]);
  },
  finds_nothing: async () => {
    throw Problem.unavailable('Not there yet.', 5);
  },
  waits: async ({ signal }) => {
    while (!signal.aborted) await delay(10);
    throw new JobLostError();
  },
  works: async ({ result }) => {
    await result.append(Buffer.from('whole'), PROGRESS, '1');
    return { contentType: 'text/plain', rows: 1, about: null };
  },
};

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  const store = new ResultStore(postgres.pool);
  table = new JobTable(postgres.pool, config, store);
  queue = new JobQueue(postgres.pool, config);
  const run = (task: JobTask) => {
    begun.push(task.job.kind);
    return KINDS[task.job.kind]!(task);
  };
  const works = [{ kinds: Object.keys(KINDS), run }];
  const telemetry = new JobsTelemetry(new Telemetry('silent'));
  runner = new JobRunner({ config, queue, store, works, telemetry });
});
afterAll(async () => {
  await runner?.onModuleDestroy();
  await postgres?.stop();
});
beforeEach(async () => {
  begun = [];
  await postgres.pool.query('DELETE FROM jobs');
});

const add = (kind: string) => table.add({ site: 's', merchant: 'm', kind, request: { asked: {} } });

/** Looks again and again, and lets no time pass between tries. */
async function when(job: Job, holds: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    await postgres.pool.query(`UPDATE jobs SET until = now() - interval '1 ms' WHERE state = 'queued'`);
    runner.look();
    await delay(20);
    const found = (await table.find(job))!;
    if (holds(found)) return found;
  }
}
const isIn = (state: string) => (job: Job) => job.state === state;

it('tries again what breaks, a few times, and then says that it could not be done', async () => {
  const failed = await when(await add('breaks'), isIn('failed'));
  expect(begun).toHaveLength(5);
  expect(failed.problem).toMatchObject({ status: 500, type: 'job-not-finished' });
  expect(JSON.stringify(failed)).not.toContain('secret');
  expect(failed.bytes).toBe(0);
});

it('does not begin a job for ever whose nodes are lost again and again', async () => {
  const job = await add('works');
  for (let tries = 1; tries <= 5; tries++) {
    expect((await queue.claim('lost', ['works']))!.tries).toBe(tries);
    await postgres.pool.query(`UPDATE jobs SET until = now() - interval '1 ms'`);
  }
  expect((await when(job, isIn('failed'))).problem!.detail).toContain('begun 5 times');
  expect(begun).toEqual([]);
});

it('does not try again what the client must change', async () => {
  const failed = await when(await add('refuses'), isIn('failed'));
  expect([begun, failed.problem!.errors]).toEqual([['refuses'], [{ path: 'date_range', message: 'never' }]]);
});

it('waits for what is not there yet', async () => {
  const failed = await when(await add('finds_nothing'), isIn('failed'));
  expect([begun.length, failed.problem]).toEqual([5, expect.objectContaining({ status: 503 })]);
});

it('lets go of what is cancelled, and goes on with the next', async () => {
  const waiting = await when(await add('waits'), isIn('running'));
  const next = await add('works');
  await table.cancel(waiting);
  expect((await when(next, isIn('done'))).bytes).toBe(5);
  expect((await table.find(waiting))!.state).toBe('cancelled');
});

it('works on no more than it may at once', async () => {
  const [one, two] = [await add('waits'), await add('waits')];
  await when(one, isIn('running'));
  for (let look = 0; look < 10; look++) {
    runner.look();
    await delay(10);
  }
  expect([begun, (await table.find(two))!.state]).toEqual([['waits'], 'queued']);
  await table.cancel(two);
  await table.cancel(one);
});
