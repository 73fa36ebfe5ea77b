// What benchmarks of the projector stand on: a PostgreSQL of its own, and a log with the live worst case
// in it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { readConfig } from '../src/config/config.js';
import { createReadModelTables } from '../src/modules/projections/read-model-tables.js';
import { EmbeddedServer } from '../src/postgres/embedded-server.js';
import { migrate } from '../src/postgres/migrate.js';
import { partitionOf } from '../src/tracking-log/partitioning.js';
import type { TrackingLog } from '../src/tracking-log/tracking-log.js';
import { CATALOG } from '../test/catalog.js';
import { openLog, project } from '../test/projecting.js';
import { liveTraffic } from './live-traffic.js';
import { seconds } from './measure.js';

const BATCH_EVENTS = 100;
export const PARTITIONS = 4;
const FROM = Date.UTC(2026, 10, 20, 9);

interface Props {
  readonly events: number;
  readonly directory: string;
  readonly pool: pg.Pool;
  readonly log: TrackingLog;
  readonly server: EmbeddedServer;
}

export class ProjectorStage {
  readonly events: number;
  readonly directory: string;
  readonly pool: pg.Pool;
  readonly log: TrackingLog;
  readonly databaseUrl: string;
  readonly #server: EmbeddedServer;

  private constructor({ events, directory, pool, log, server }: Props) {
    this.events = events;
    this.directory = directory;
    this.pool = pool;
    this.log = log;
    this.databaseUrl = server.url;
    this.#server = server;
  }

  /** @param pinned this process on the first core and PostgreSQL on the second; else both where they like */
  static async set(events: number, { pinned }: { readonly pinned: boolean }): Promise<ProjectorStage> {
    const directory = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
    const server = await EmbeddedServer.start({ dataDirectory: directory, log: pino({ level: 'silent' }) });
    if (pinned) {
      pin(process.pid, 0);
      pin(server.pid, 1);
    }
    await migrate(server.url);
    const pool = new pg.Pool({ connectionString: server.url, max: 10 });
    pool.on('error', () => {});
    await createReadModelTables(pool, CATALOG);
    const log = openLog(join(directory, 'tracking-log'), PARTITIONS);
    await fill(log, events);
    return new ProjectorStage({ events, directory, pool, log, server });
  }

  get serverPid(): number {
    return this.#server.pid;
  }

  async readAll(): Promise<void> {
    let events = 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for await (const batch of this.log.read(partition, null, { follow: false }))
        events += batch.events.length;
    }
    if (events !== this.events) throw new Error(`read ${events} events instead of ${this.events}`);
  }

  /** Into version 1, from nothing, with the product's defaults; seconds. */
  async projectAll(): Promise<number> {
    const config = readConfig({});
    await this.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints; CHECKPOINT');
    const projecting = project(this.log, this.pool, {
      flushIntervalMs: config.PROJECTOR_FLUSH_INTERVAL_MS,
      flushEventsMax: config.PROJECTOR_FLUSH_EVENTS_MAX,
      eventsInMemoryMax: () => config.PROJECTOR_EVENTS_IN_MEMORY_MAX / PARTITIONS,
    });
    const wall = await seconds(() => projecting.caughtUp());
    await projecting.stop();
    await this.checkCount(1);
    return wall;
  }

  async checkCount(version: number): Promise<void> {
    const { rows } = await this.pool.query(`SELECT sum(events)::int AS events FROM traffic_v${version}`);
    if (rows[0].events !== this.events) {
      throw new Error(`counted ${rows[0].events} events instead of ${this.events}`);
    }
  }

  async strike(): Promise<void> {
    await this.log.close();
    await this.pool.end();
    await this.#server.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** CPU seconds that this process takes for it. */
export async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

async function fill(target: TrackingLog, events: number): Promise<void> {
  const waiting = new Map<number, unknown[]>();
  const appends: Promise<unknown>[] = [];
  for (const event of liveTraffic(events, FROM)) {
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

function pin(pid: number, core: number): void {
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  } catch {
    process.stderr.write('taskset is not here: nothing is pinned\n');
  }
}
