// What a request costs that makes one event durable, against a bare Fastify route that parses the
// same body; and how far batches carry. Server on core 0, load on core 1, A and B in turns.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { builtApp } from '../test/servers/built-app.js';
import type { LoadCommand, LoadResult } from './servers/http-load.js';

const ROUNDS = 7;
const ROUND_SECONDS = 2;
const CONNECTIONS = 64;
const EVENTS_PER_BATCH = 25;
const CLOCK_TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

interface Program {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

interface Server extends Program {
  readonly port: number;
  readonly key: string;
}

interface Round {
  readonly eventsPerSecond: number;
  readonly cpuMicrosecondsPerRequest: number;
  readonly loadCores: number;
}

const tree = await builtApp();

function start(path: string, core: number): Program {
  const child = spawn('taskset', ['-c', String(core), process.execPath, join(tree, path)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Interface = createInterface({ input: child.stdout });
  return { process: child, lines: lines[Symbol.asyncIterator]() };
}

async function answerOf<T>({ lines }: Program): Promise<T> {
  const { value, done } = await lines.next();
  if (done) throw new Error('The process ended early');
  return JSON.parse(value) as T;
}

async function startServer(path: string): Promise<Server> {
  const program = start(path, 0);
  const { url, key } = await answerOf<{ url: string; key: string }>(program);
  return { ...program, port: Number(new URL(url).port), key };
}

/** All threads, the log's writer included. */
function cpuSeconds({ process: { pid } }: Program): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

const load = start('bench/servers/http-load.js', 1);

async function round(server: Server, eventsPerRequest: number): Promise<Round> {
  const { port, key } = server;
  const command: LoadCommand = {
    port,
    key,
    eventsPerRequest,
    connections: CONNECTIONS,
    seconds: ROUND_SECONDS,
  };
  const cpuBefore = cpuSeconds(server);
  load.process.stdin!.write(`${JSON.stringify(command)}\n`);
  const { acknowledged, seconds, loadCores } = await answerOf<LoadResult>(load);
  return {
    eventsPerSecond: (acknowledged * eventsPerRequest) / seconds,
    cpuMicrosecondsPerRequest: ((cpuSeconds(server) - cpuBefore) * 1e6) / acknowledged,
    loadCores,
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** 95 % of medians of as many values drawn from these, with replacement. */
function interval(values: readonly number[]): string {
  const medians = Array.from({ length: 2_000 }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)]!)),
  ).toSorted((a, b) => a - b);
  return `${medians[50]!.toFixed(2)}–${medians[1_949]!.toFixed(2)}`;
}

function report(name: string, ratios: readonly number[], target: number): void {
  const reached = median(ratios);
  const verdict = reached >= target ? 'reached' : 'MISSED';
  print(`${name}: ${reached.toFixed(2)} (95 % ${interval(ratios)}), target ≥${target}: ${verdict}`);
}

function describe(name: string, rounds: readonly Round[]): void {
  print(
    `  ${name.padEnd(28)} ${Math.round(median(rounds.map((r) => r.eventsPerSecond)))} events/s, ` +
      `${median(rounds.map((r) => r.cpuMicrosecondsPerRequest)).toFixed(1)} µs of CPU a request ` +
      `(load generator: ${median(rounds.map((r) => r.loadCores)).toFixed(2)} cores)`,
  );
}

const print = (line: string) => process.stdout.write(`${line}\n`);

const intake = await startServer('bench/servers/intake.server.js');
const bare = await startServer('bench/servers/bare.server.js');
try {
  print(`${cpus().length} × ${cpus()[0]!.model}, Node ${process.version}; ${CONNECTIONS} connections`);
  const single: Round[] = [];
  const noop: Round[] = [];
  const batched: Round[] = [];
  for (let n = -1; n < ROUNDS; n++) {
    const results = [
      await round(intake, 1),
      await round(bare, 1),
      await round(intake, EVENTS_PER_BATCH),
    ] as const;
    if (n < 0) continue; // warming up
    single.push(results[0]);
    noop.push(results[1]);
    batched.push(results[2]);
  }
  const ratios = (a: readonly Round[], b: readonly Round[], figure: (round: Round) => number) =>
    a.map((round, n) => figure(round) / figure(b[n]!));
  report(
    'single-event intake ÷ bare Fastify, requests/s',
    ratios(single, noop, (r) => r.eventsPerSecond),
    0.8,
  );
  report(
    'the same by CPU a request',
    ratios(noop, single, (r) => r.cpuMicrosecondsPerRequest),
    0.8,
  );
  report(
    `events/s at ${EVENTS_PER_BATCH} a request ÷ 1`,
    ratios(batched, single, (r) => r.eventsPerSecond),
    8,
  );
  describe('intake, 1 event a request', single);
  describe('bare Fastify', noop);
  describe(`intake, ${EVENTS_PER_BATCH} events a request`, batched);
} finally {
  for (const { process: child } of [intake, bare, load]) child.kill('SIGTERM');
}
