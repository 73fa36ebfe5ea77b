// What the projector does in a second: the whole way from the log to committed rows, Postgres on
// the other core, against reading and decoding the same log; and what a second of this process's
// own core does.
import { type BenchmarkResult, measure, report, seconds } from './measure.js';
import { cpuSeconds, ProjectorStage } from './projector-stage.js';

const EVENTS = Number(process.argv.find((argument) => argument.startsWith('--events='))?.slice(9) ?? 600_000);
const ROUNDS = 5;

const stage = await ProjectorStage.set(EVENTS, { pinned: true });
try {
  const cpu: number[] = [];
  const results: BenchmarkResult[] = [
    await measure({
      name: `${EVENTS.toLocaleString('en')} events of 2,000 sites, three to a session`,
      unit: 'events',
      rounds: ROUNDS,
      contenders: [
        {
          name: 'read and decode',
          run: async () => ({ amount: EVENTS, seconds: await seconds(() => stage.readAll()) }),
        },
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
  await stage.strike();
}

async function projectAll(cpu: number[]): Promise<{ amount: number; seconds: number }> {
  let wall = 0;
  cpu.push(await cpuSeconds(async () => (wall = await stage.projectAll())));
  return { amount: EVENTS, seconds: wall };
}

/** Sizes, and how often a session row was written. */
async function facts(): Promise<string> {
  const { rows } = await stage.pool.query(`SELECT count(*)::int AS sessions,
    (SELECT sum(pg_total_relation_size(relid))::float8 FROM pg_partition_tree('sessions_v1')) AS bytes FROM sessions_v1`);
  const rss = Math.round(process.memoryUsage.rss() / 1_048_576);
  return `${rows[0].sessions} sessions, ${Math.round(rows[0].bytes / rows[0].sessions)} bytes each with indexes; ${rss} MB resident`;
}
