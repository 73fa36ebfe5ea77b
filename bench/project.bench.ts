// What the projector does in a second: the whole way from the log to committed rows, Postgres on
// the other core, against reading and decoding the same log; and what a second of this process's
// own core does.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { readConfig } from '../src/config/config.js';
import { CATALOG } from '../src/modules/projections/catalog/catalog.js';
import { createReadModelTables } from '../src/modules/projections/read-model-tables.js';
import { EmbeddedServer } from '../src/postgres/embedded-server.js';
import { migrate } from '../src/postgres/migrate.js';
import { partitionOf } from '../src/tracking-log/partitioning.js';
import type { TrackingLog } from '../src/tracking-log/tracking-log.js';
import { openLog, project } from '../test/projecting.js';
import { liveTraffic } from './live-traffic.js';
import { type BenchmarkResult, measure, report, seconds } from './measure.js';

const EVENTS = Number(process.argv.find((argument) => argument.startsWith('--events='))?.slice(9) ?? 600_000);
const BATCH_EVENTS = 100;
const PARTITIONS = 4;
const ROUNDS = 5;
const FROM = Date.UTC(2026, 10, 20, 9);

/** The product's defaults. */
const config = readConfig({});
const directory = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
const server = await EmbeddedServer.start({ dataDirectory: directory, log: pino({ level: 'silent' }) });
pin(process.pid, 0);
pin(server.pid, 1);
await migrate(server.url);
const pool = new pg.Pool({ connectionString: server.url, max: 10 });
pool.on('error', () => {});
await createReadModelTables(pool, CATALOG);
const log = openLog(join(directory, 'log'), PARTITIONS);

try {
  await fill(log);
  const cpu: number[] = [];
  const results: BenchmarkResult[] = [
    await measure({
      name: `${EVENTS.toLocaleString('en')} events of 2,000 sites, three to a session`,
      unit: 'events',
      rounds: ROUNDS,
      contenders: [
        { name: 'read and decode', run: async () => ({ amount: EVENTS, seconds: await seconds(readAll) }) },
        { name: 'project', run: () => projectAll(cpu) },
        {
          name: 'project, per second of this core',
          run: async () => ({ amount: EVENTS, seconds: cpu.at(-1)! }),
        },
      ],
      ratios: [{ of: 'project', over: 'read and decode', atLeast: 0.12 }],
    }),
  ];
  report('project', results);
  process.stderr.write(`${await facts()}\n`);
} finally {
  await log.close();
  await pool.end();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function fill(target: TrackingLog): Promise<void> {
  const waiting = new Map<number, unknown[]>();
  const appends: Promise<unknown>[] = [];
  for (const event of liveTraffic(EVENTS, FROM)) {
    const partition = partitionOf(event.site, PARTITIONS);
    const batch = (waiting.get(partition) ?? waiting.set(partition, []).get(partition)!) as (typeof event)[];
    batch.push(event);
    if (batch.length < BATCH_EVENTS) continue;
    appends.push(target.append(partition, batch));
    waiting.set(partition, []);
    if (appends.length % 64 === 0) await Promise.all(appends.splice(0));
  }
  for (const [partition, batch] of waiting) {
    if (batch.length > 0) appends.push(target.append(partition, batch as never));
  }
  await Promise.all(appends);
}

async function readAll(): Promise<void> {
  let events = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for await (const batch of log.read(partition, null, { follow: false })) events += batch.events.length;
  }
  if (events !== EVENTS) throw new Error(`read ${events} events instead of ${EVENTS}`);
}

async function projectAll(cpu: number[]): Promise<{ amount: number; seconds: number }> {
  await pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints; CHECKPOINT');
  const before = process.cpuUsage();
  const projecting = project(log, pool, {
    flushIntervalMs: config.PROJECTOR_FLUSH_INTERVAL_MS,
    flushEventsMax: config.PROJECTOR_FLUSH_EVENTS_MAX,
    eventsInMemoryMax: config.PROJECTOR_EVENTS_IN_MEMORY_MAX / PARTITIONS,
  });
  const wall = await seconds(() => projecting.caughtUp());
  const used = process.cpuUsage(before);
  cpu.push((used.user + used.system) / 1e6);
  await projecting.stop();
  const { rows } = await pool.query('SELECT sum(events)::int AS events FROM traffic_v1');
  if (rows[0].events !== EVENTS) throw new Error(`counted ${rows[0].events} events instead of ${EVENTS}`);
  return { amount: EVENTS, seconds: wall };
}

/** Sizes, and how often a session row was written. */
async function facts(): Promise<string> {
  const { rows } = await pool.query(`SELECT count(*)::int AS sessions,
    (SELECT sum(pg_total_relation_size(relid))::float8 FROM pg_partition_tree('sessions_v1')) AS bytes FROM sessions_v1`);
  const rss = Math.round(process.memoryUsage.rss() / 1_048_576);
  return `${rows[0].sessions} sessions, ${Math.round(rows[0].bytes / rows[0].sessions)} bytes each with indexes; ${rss} MB resident`;
}

function pin(pid: number, core: number): void {
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  } catch {
    process.stderr.write('taskset is not here: nothing is pinned\n');
  }
}
