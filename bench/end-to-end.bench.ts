// An event's whole way, everything on two cores: load → intake → Kafka → projector → PostgreSQL, each a
// process of its own, 50 events a request, three pages a visit. What is sustained under a flood (until
// the last event can be queried); how fresh the read models are at a steady 10,000 events/s, by marker
// events looked for every 20 ms in the rollup that queries read; how fast a projector that was away
// catches up; and whose processor time and memory it all is. --seconds=15 of load each, --rounds=3.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { EmbeddedServer } from '../src/postgres/embedded-server.js';
import { partitionOf } from '../src/tracking-log/partitioning.js';
import { Child } from '../test/crash/child.js';
import { builtApp } from '../test/servers/built-app.js';
import { freePort } from '../test/servers/free-port.js';
import { startKafka } from '../test/servers/kafka.js';
import { freshnessMs } from './markers.js';
import { type BenchmarkResult, type Fact, median, quantile, report } from './measure.js';
import { option } from './option.js';
import type { LoadCommand, LoadResult } from './servers/http-load.js';
import { startCommand } from './start-command.js';

const SECONDS = option('seconds', 15);
const ROUNDS = option('rounds', 3);
const STEADY_EVENTS_PER_SECOND = option('rate', 10_000);
const STEADY_SECONDS = option('steady-seconds', 60);
const EVENTS_PER_REQUEST = 50;
const CONNECTIONS = 16;
const PARTITIONS = 4;
const SITES = 40;
const LOOK_INTERVAL_MS = 20;
const SETTLED_TIMEOUT_MS = 300_000;
const OPERATOR_KEY = 'operator-key-of-the-end-to-end-bench-0123456789';
const CLOCK_TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const CORES = '0,1';

const directory = mkdtempSync(join(tmpdir(), 'tidemark-end-to-end-'));
const tree = await builtApp();
const { environment: startEnvironment, nodeFlags } = startCommand();
const kafka = await startKafka({ own: true });
const postgres = await EmbeddedServer.start({
  dataDirectory: join(directory, 'postgres'),
  log: pino({ level: 'silent' }),
});
const broker = kafka.nodes[0]!.pid;
for (const pid of [broker, postgres.pid]) pin(pid);

const load = spawn('taskset', ['-c', CORES, process.execPath, join(tree, 'bench/servers/http-load.js')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const loadLines = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
const ports = { ingest: await freePort(), projector: await freePort() };
const ingest = await start('ingest,api', ports.ingest);
let projector = await start('projector', ports.projector);
const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
pool.on('error', () => {});

/** Of events sent since the beginning, markers included. */
let acknowledged = 0;
const sites: string[] = [];
const markers: string[] = [];

try {
  for (let site = 0; site < SITES; site++) sites.push(await createSite(`shop-${site}.example`));
  await createMarkers();
  await flood(); // compiled code, grown pools, warm caches
  const floods = await rounds(flood);
  const steady = await steadyLoad();
  const catchUps = await rounds(catchUp);
  const result = rates({ floods, catchUps });
  const phases = { flood: floods.at(-1)!, steady, 'catching up': catchUps.at(-1)! };
  report('end-to-end', [result], [...freshnessFacts(steady), ...cpuFacts(phases), ...memoryFacts()]);
} finally {
  load.kill('SIGTERM');
  await pool.end();
  for (const child of [projector, ingest]) await child.kill('SIGTERM');
  await postgres.stop();
  await kafka.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function start(role: string, port: number): Promise<Child> {
  const child = await Child.start('src/main.js', {
    environment: {
      ROLE: role,
      PORT: String(port),
      DATA_DIR: join(directory, role),
      DATABASE_URL: postgres.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      TRACKING_LOG_PARTITIONS: String(PARTITIONS),
      OPERATOR_KEY,
      KEY_PEPPER: 'pepper-of-the-end-to-end-bench-0123456789abcdef',
      LOG_LEVEL: 'error',
      ...startEnvironment,
      NODE_OPTIONS: nodeFlags.join(' '),
    },
    wrapper: ['taskset', '-c', CORES],
  });
  while (!(await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null))?.ok) {
    if (await Promise.race([child.ended, sleep(50)])) throw new Error(child.stderr + child.lines.join('\n'));
  }
  return child;
}

async function createSite(domain: string): Promise<string> {
  const answer = await post('/v1/sites', { domain });
  if (answer.status !== 201) throw new Error(`${domain}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

/** One site in each partition, so that none is left out. */
async function createMarkers(): Promise<void> {
  const found = new Map<number, string>();
  for (let tries = 0; found.size < PARTITIONS; tries++) {
    const id = await createSite(`marker-${tries}.example`);
    const partition = partitionOf(id, PARTITIONS);
    if (!found.has(partition)) found.set(partition, id);
  }
  markers.push(...found.values());
}

function post(path: string, body: unknown): Promise<Response> {
  return fetch(`http://127.0.0.1:${ports.ingest}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function send(limits: Pick<LoadCommand, 'seconds' | 'eventsPerSecondMax'>): Promise<LoadResult> {
  const command: LoadCommand = {
    port: ports.ingest,
    key: OPERATOR_KEY,
    eventsPerRequest: EVENTS_PER_REQUEST,
    connections: CONNECTIONS,
    sites,
    ...limits,
  };
  load.stdin.write(`${JSON.stringify(command)}\n`);
  const { value } = await loadLines.next();
  const result = JSON.parse(value as string) as LoadResult;
  acknowledged += result.acknowledgedInAll * EVENTS_PER_REQUEST;
  return result;
}

async function counted(): Promise<number> {
  const { rows } = await pool.query('SELECT coalesce(sum(events), 0)::float8 AS events FROM traffic_v1');
  return (rows as [{ events: number }])[0].events;
}

/** Until every event can be queried. */
async function settled(): Promise<void> {
  const deadline = performance.now() + SETTLED_TIMEOUT_MS;
  for (;;) {
    const events = await counted();
    if (events === acknowledged) return;
    if (events > acknowledged) throw new Error(`${events} events counted, ${acknowledged} sent`);
    if (performance.now() > deadline) throw new Error(`${acknowledged - events} events never came`);
    await sleep(LOOK_INTERVAL_MS);
  }
}

interface Phase {
  readonly events: number;
  readonly wallSeconds: number;
  readonly cpu: Cpu;
}

interface Flood extends Phase {
  readonly takenPerSecond: number;
}

function perSecond({ events, wallSeconds }: Phase): number {
  return events / wallSeconds;
}

async function flood(): Promise<Flood> {
  const before = acknowledged;
  const cpuBefore = cpuNow();
  const startedAt = performance.now();
  const sent = await send({ seconds: SECONDS });
  await settled();
  const wallSeconds = (performance.now() - startedAt) / 1_000;
  return {
    takenPerSecond: (sent.acknowledged * EVENTS_PER_REQUEST) / sent.seconds,
    events: acknowledged - before,
    wallSeconds,
    cpu: since(cpuBefore),
  };
}

interface Steady extends Phase {
  /** As it was, the asked rate or less. */
  readonly eventsPerSecond: number;
  readonly freshnessMs: readonly number[];
}

async function steadyLoad(): Promise<Steady> {
  const before = acknowledged;
  const cpuBefore = cpuNow();
  const startedAt = performance.now();
  const stop = new AbortController();
  const freshness = freshnessMs({ pool, sites: markers, send: sendMarker }, stop.signal);
  const sent = await send({ seconds: STEADY_SECONDS, eventsPerSecondMax: STEADY_EVENTS_PER_SECOND });
  stop.abort();
  const wallSeconds = (performance.now() - startedAt) / 1_000;
  const cpu = since(cpuBefore);
  const events = acknowledged - before;
  const tookMs = await freshness;
  await settled();
  const eventsPerSecond = (sent.acknowledged * EVENTS_PER_REQUEST) / sent.seconds;
  return { eventsPerSecond, freshnessMs: tookMs, events, wallSeconds, cpu };
}

async function sendMarker(event: object): Promise<void> {
  const answer = await post('/v1/events', event);
  if (answer.status !== 202) throw new Error(`A marker was answered ${answer.status}`);
  acknowledged++;
  await answer.arrayBuffer();
}

/** Without a projector at first; then with it, and without load. */
async function catchUp(): Promise<Phase> {
  await projector.kill('SIGTERM');
  await send({ seconds: SECONDS });
  projector = await start('projector', ports.projector);
  const before = await counted();
  let first = before;
  while (first === before) {
    await sleep(LOOK_INTERVAL_MS);
    first = await counted();
  }
  // From the first commit on: how long a process takes to start is no rate.
  const cpuBefore = cpuNow();
  const startedAt = performance.now();
  await settled();
  const wallSeconds = (performance.now() - startedAt) / 1_000;
  return { events: acknowledged - first, wallSeconds, cpu: since(cpuBefore) };
}

async function rounds<T>(work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < ROUNDS; round++) results.push(await work());
  return results;
}

function rates({
  floods,
  catchUps,
}: {
  floods: readonly Flood[];
  catchUps: readonly Phase[];
}): BenchmarkResult {
  const sustained = floods.map(perSecond);
  const caughtUp = catchUps.map(perSecond);
  const named: [string, readonly number[]][] = [
    ['taken by intake during the flood', floods.map(({ takenPerSecond }) => takenPerSecond)],
    ['sustained, until all can be queried', sustained],
    ['caught up by a projector that was away', caughtUp],
  ];
  const ratio = (of: string, over: string, atLeast: number, value: number) => ({
    of,
    over,
    atLeast,
    median: value,
  });
  return {
    name: `intake → Kafka → projector → PostgreSQL on cores ${CORES}, ${EVENTS_PER_REQUEST} events a request`,
    unit: 'events',
    rates: named.map(([name, values]) => ({
      name,
      median: median(values),
      min: Math.min(...values),
      max: Math.max(...values),
    })),
    ratios: [
      ratio(named[1]![0], '10,000', 1, median(sustained) / 10_000),
      ratio(named[2]![0], named[1]![0], 3, median(caughtUp) / median(sustained)),
    ],
  };
}

function freshnessFacts({ freshnessMs: tookMs, eventsPerSecond }: Steady): Fact[] {
  return [
    { name: 'steady load', value: eventsPerSecond, unit: 'events/s' },
    { name: 'freshness under it, p50', value: quantile(tookMs, 0.5), unit: 'ms' },
    { name: 'freshness under it, p99', value: quantile(tookMs, 0.99), unit: 'ms' },
    {
      name: `freshness, highest of ${tookMs.length} markers`,
      value: Math.max(...tookMs),
      unit: 'ms',
    },
  ];
}

type Cpu = Readonly<
  Record<'broker' | 'ingest' | 'projector' | 'PostgreSQL' | 'load' | 'this program', number>
>;

/** Seconds so far, by process; PostgreSQL's are those of all its processes. */
function cpuNow(): Cpu {
  const own = process.cpuUsage();
  return {
    broker: cpuSeconds(broker),
    ingest: cpuSeconds(ingest.pid),
    projector: cpuSeconds(projector.pid),
    PostgreSQL:
      cpuSeconds(postgres.pid) + childrenOf(postgres.pid).reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    load: cpuSeconds(load.pid!),
    'this program': (own.user + own.system) / 1e6,
  };
}

function since(before: Cpu): Cpu {
  const names = Object.keys(before) as (keyof Cpu)[];
  const now = cpuNow();
  return Object.fromEntries(names.map((name) => [name, now[name] - before[name]])) as Cpu;
}

/** Of the last of each; per event it varies less than the rates do, and says what bounds them. */
function cpuFacts(phases: Readonly<Record<string, Phase>>): Fact[] {
  return Object.entries(phases).flatMap(([phase, { cpu, wallSeconds, events }]) => {
    const parts = Object.entries(cpu);
    const all = parts.reduce((sum, [, seconds]) => sum + seconds, 0);
    const micros = (seconds: number): number => (seconds * 1e6) / events;
    return [
      ...parts.map(([part, seconds]) => ({
        name: `${phase}, ${part}`,
        value: seconds / wallSeconds,
        unit: 'cores',
      })),
      { name: `${phase}, projector`, value: micros(cpu.projector), unit: 'µs of processor an event' },
      { name: `${phase}, all together`, value: micros(all), unit: 'µs of processor an event' },
    ];
  });
}

/** Since it started; the projector's of the last catching up. */
function memoryFacts(): Fact[] {
  const peakMegabytes = (pid: number): number =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;
  return [
    { name: 'peak memory, ingest', value: peakMegabytes(ingest.pid), unit: 'MB resident' },
    { name: 'peak memory, projector', value: peakMegabytes(projector.pid), unit: 'MB resident' },
  ];
}

/** Of all threads, and of children that ended. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
    return ticks / CLOCK_TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]) === parent;
      } catch {
        return false;
      }
    });
}

function pin(pid: number): void {
  execFileSync('taskset', ['-acp', CORES, String(pid)], { stdio: 'ignore' });
}
