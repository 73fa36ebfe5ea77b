// What a request costs that makes one event durable, against a bare Fastify route that parses the
// same body; how far batches carry; and what a site's settings cost (exclusions, origins, parameters that are kept). Server on core 0, load on core 1. Everything the server
// does is on its one core, the log's writer included; CPU seconds vary less than rates where others
// share the machine, so both are told.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtApp } from '../test/servers/built-app.js';
import { type Contender, measure, report } from './measure.js';
import type { LoadCommand, LoadResult } from './servers/http-load.js';

const ROUNDS = 5;
const ROUND_SECONDS = 2;
const CONNECTIONS = 128;
const EVENTS_PER_BATCH = 25;
/** The generator alone on its core: above this it may have been the limit. */
const LOAD_CORES_MAX = 0.9;
const CLOCK_TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

interface Program {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

interface Server extends Program {
  readonly port: number;
  readonly key: string;
  /** Of a site with settings, where there are sites. */
  readonly keyWithSettings?: string;
}

interface Sending {
  readonly server: Server;
  /** Default: the server's. */
  readonly key?: string | undefined;
  /** In a request. */
  readonly events?: number;
}

interface Turn {
  readonly requests: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const tree = await builtApp();

function start(path: string, core: number): Program {
  const child = spawn('taskset', ['-c', String(core), process.execPath, join(tree, path)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function answerOf<T>({ lines }: Program): Promise<T> {
  const { value, done } = await lines.next();
  if (done) throw new Error('The process ended early');
  return JSON.parse(value) as T;
}

async function startServer(path: string): Promise<Server> {
  const program = start(path, 0);
  const { url, ...keys } = await answerOf<Pick<Server, 'key' | 'keyWithSettings'> & { url: string }>(program);
  return { ...program, port: Number(new URL(url).port), ...keys };
}

/** Of all threads. */
function cpuSeconds({ process: { pid } }: Program): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

const load = start('bench/servers/http-load.js', 1);

async function turn({ server, key = server.key, events = 1 }: Sending): Promise<Turn> {
  const command: LoadCommand = {
    port: server.port,
    key,
    eventsPerRequest: events,
    connections: CONNECTIONS,
    seconds: ROUND_SECONDS,
  };
  const cpuBefore = cpuSeconds(server);
  load.process.stdin!.write(`${JSON.stringify(command)}\n`);
  const { acknowledged, seconds, loadCores } = await answerOf<LoadResult>(load);
  if (loadCores > LOAD_CORES_MAX) throw new Error('Void: the load generator was the limit');
  return { requests: acknowledged, seconds, cpuSeconds: cpuSeconds(server) - cpuBefore };
}

const INTAKE = 'intake, 1 event a request';
const WITH_SETTINGS = 'the same of a site with settings';
const BARE = 'bare Fastify, the same body';
const BATCHED = `intake, ${EVENTS_PER_BATCH} events a request`;

const intake = await startServer('bench/servers/intake.server.js');
const bare = await startServer('bench/servers/bare.server.js');
const turns = new Map<string, Turn[]>();

const timed = (name: string, sending: Sending): Contender => ({
  name,
  async run() {
    const made = await turn(sending);
    turns.set(name, [...(turns.get(name) ?? []), made]);
    return { amount: made.requests * (sending.events ?? 1), seconds: made.seconds };
  },
});

/** The same turns again, by what they cost the server. */
const charged = (name: string): Contender => ({
  name,
  run() {
    const { requests, cpuSeconds: spent } = turns.get(name)!.shift()!;
    return Promise.resolve({ amount: requests, seconds: spent });
  },
});

try {
  // Compiled code first: a round is too short for it.
  for (const server of [intake, bare]) await turn({ server });
  await turn({ server: intake, key: intake.keyWithSettings });
  const byTime = await measure({
    name: 'durable intake over HTTP',
    unit: 'events',
    contenders: [
      timed(INTAKE, { server: intake }),
      timed(WITH_SETTINGS, { server: intake, key: intake.keyWithSettings }),
      timed(BARE, { server: bare }),
      timed(BATCHED, { server: intake, events: EVENTS_PER_BATCH }),
    ],
    ratios: [
      { of: INTAKE, over: BARE, atLeast: 0.8 },
      { of: BATCHED, over: INTAKE, atLeast: 8 },
      { of: WITH_SETTINGS, over: INTAKE },
    ],
    rounds: ROUNDS,
  });
  const byCpu = await measure({
    name: 'the same turns per second of CPU that the server spent',
    unit: 'requests',
    contenders: [INTAKE, WITH_SETTINGS, BARE, BATCHED].map(charged),
    ratios: [
      { of: INTAKE, over: BARE },
      { of: WITH_SETTINGS, over: INTAKE },
    ],
    rounds: ROUNDS,
  });
  report('ingest', [byTime, byCpu]);
} finally {
  for (const { process: child } of [intake, bare, load]) child.kill('SIGTERM');
}
