// What a rebuild does in a second, from the log or from its archive to indexed tables, in processes of its own
// as the product does it, against projecting the same log live; all share two cores with PostgreSQL.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryArchiveStore } from '../src/archive/directory.archive-store.js';
import { Manifests } from '../src/archive/manifest.js';
import { SegmentWriter } from '../src/archive/segment-writer.js';
import { readConfig } from '../src/config/config.js';
import { DEFINITIONS } from '../src/modules/projections/catalog/catalog.js';
import { projectionsOf } from '../src/modules/projections/definition.js';
import { indexWhenWritten } from '../src/modules/projections/rebuild/indexes.js';
import { buildInProcess } from '../src/modules/projections/rebuild/rebuild-process.js';
import type { BuildOrder } from '../src/modules/projections/rebuild/rebuild-program.js';
import { RebuildProgress } from '../src/modules/projections/rebuild/rebuild-progress.js';
import { Permits } from '../src/tracking-log/permits.js';
import { dropVersion } from '../test/rebuilding.js';
import { type BenchmarkResult, measure, report, seconds } from './measure.js';
import { PARTITIONS, ProjectorStage } from './projector-stage.js';

const number = (name: string, otherwise: number): number =>
  Number(process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise);
const EVENTS = number('events', 1_200_000);
const ROUNDS = number('rounds', 5);
const VERSION = 2;
const SERVING = 1;

const stage = await ProjectorStage.set(EVENTS, { pinned: false });
// As the processes of a rebuild find their settings and their program.
process.argv[1] = join(import.meta.dirname, '../src/main.js');
const archiveDirectory = join(stage.directory, 'archive');
Object.assign(process.env, {
  DATA_DIR: stage.directory,
  TRACKING_LOG_PARTITIONS: String(PARTITIONS),
  ARCHIVE_URL: archiveDirectory,
});
const config = readConfig();
const definition = DEFINITIONS.at(-1)!;

try {
  await archiveAll();
  let indexSeconds = 0;
  let cpu = { builders: 0, postgres: 0 };
  const results: BenchmarkResult[] = [
    await measure({
      name: `${EVENTS.toLocaleString('en')} events of 2,000 sites, three to a session`,
      unit: 'events',
      rounds: ROUNDS,
      contenders: [
        { name: 'project', run: async () => ({ amount: EVENTS, seconds: await stage.projectAll() }) },
        { name: 'rebuild', run: () => rebuildAll('log') },
        { name: 'rebuild from the archive', run: () => rebuildAll('archive+log') },
      ],
      ratios: [
        { of: 'rebuild', over: 'project', atLeast: 2.5 },
        { of: 'rebuild from the archive', over: 'rebuild', atLeast: 0.5 },
      ],
    }),
  ];
  report('rebuild', results);
  const microseconds = (spent: number): string => `${((spent / EVENTS) * 1e6).toFixed(1)} µs`;
  process.stderr.write(
    `of the last rebuild, ${indexSeconds.toFixed(1)} s went into indexes; an event cost ` +
      `${microseconds(cpu.builders)} of CPU in the builders and ${microseconds(cpu.postgres)} in PostgreSQL\n`,
  );

  async function rebuildAll(source: BuildOrder['source']): Promise<{ amount: number; seconds: number }> {
    await dropVersion(stage.pool, VERSION);
    await stage.pool.query('CHECKPOINT');
    const before = cpuSecondsSoFar();
    const wall = await seconds(async () => {
      const permits = new Permits(config.REBUILD_PARTITIONS_AT_ONCE);
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      await Promise.all(partitions.map((partition) => permits.with(() => build(partition, source))));
      indexSeconds = await seconds(index);
    });
    const after = cpuSecondsSoFar();
    cpu = { builders: after.builders - before.builders, postgres: after.postgres - before.postgres };
    await stage.checkCount(VERSION);
    return { amount: EVENTS, seconds: wall };
  }
} finally {
  await stage.strike();
}

/** All of the log, so that a rebuild from the archive reads nothing else. */
async function archiveAll(): Promise<void> {
  const store = await DirectoryArchiveStore.open(archiveDirectory);
  const manifests = new Manifests(stage.pool);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const writer = new SegmentWriter({ partition, after: null });
    for await (const batch of stage.log.read(partition, null, { follow: false })) writer.add(batch);
    const manifest = await manifests.read(partition);
    const { segment, bytes } = writer.finish(writer.range!, manifest.revision);
    await store.put(segment.object, bytes);
    await manifests.change(manifest, { added: segment });
  }
}

function build(partition: number, source: BuildOrder['source']): Promise<void> {
  const { databaseUrl } = stage;
  const order = {
    feed: { partition, version: VERSION },
    definition: definition.number,
    basis: SERVING,
    scope: null,
    deleted: [],
    databaseUrl,
    source,
  };
  return buildInProcess(order, new AbortController().signal);
}

async function index(): Promise<void> {
  const { pool } = stage;
  const projections = projectionsOf(definition, VERSION);
  const progress = new RebuildProgress(pool);
  const options = { pool, progress, projections, version: VERSION, partitions: PARTITIONS };
  await indexWhenWritten(options, new AbortController().signal);
}

/** Of processes that ended under this one, and of all of PostgreSQL's. Nothing where there is no /proc. */
function cpuSecondsSoFar(): { builders: number; postgres: number } {
  const TICKS_PER_SECOND = 100;
  const times = new Map<number, { parent: number; own: number; ended: number }>();
  try {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const fields = statOf(name);
      if (fields === null) continue;
      const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number) as [
        number,
        number,
        number,
        number,
      ];
      times.set(Number(name), {
        parent: Number(fields[1]),
        own: user + system,
        ended: endedUser + endedSystem,
      });
    }
  } catch {
    return { builders: Number.NaN, postgres: Number.NaN };
  }
  const { serverPid } = stage;
  let postgres = 0;
  for (const [pid, { parent, own, ended }] of times) {
    if (pid === serverPid || parent === serverPid) postgres += own + ended;
  }
  const builders = times.get(process.pid)?.ended ?? 0;
  return { builders: builders / TICKS_PER_SECOND, postgres: postgres / TICKS_PER_SECOND };
}

/** Fields from the state on; null where the process is gone by now. */
function statOf(pid: string): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
