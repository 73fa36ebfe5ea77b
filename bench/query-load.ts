// A process that asks questions (servers/query-load.ts), as benchmarks use it.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtApp } from '../test/servers/built-app.js';
import type { QueryLoadCommand, QueryLoadResult } from './servers/query-load.js';

/** The generator alone on its core: above this it may have been the limit. */
const LOAD_CORES_MAX = 0.9;

export interface Program {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

export async function startProgram(path: string, cores?: string): Promise<Program> {
  const wrapper = cores === undefined ? [] : ['taskset', '-c', cores];
  const [command, ...args] = [...wrapper, process.execPath, join(await builtApp(), path)];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

export async function told<T>({ process: child, lines }: Program, what: unknown): Promise<T> {
  child.stdin!.write(`${JSON.stringify(what)}\n`);
  const { value, done } = await lines.next();
  if (done) throw new Error('The process ended early');
  return JSON.parse(value) as T;
}

export class QueryLoad {
  private constructor(private readonly program: Program) {}

  static async start(cores?: string): Promise<QueryLoad> {
    return new QueryLoad(await startProgram('bench/servers/query-load.js', cores));
  }

  async run(command: QueryLoadCommand): Promise<QueryLoadResult> {
    const result = await told<QueryLoadResult>(this.program, command);
    if (result.loadCores > LOAD_CORES_MAX) throw new Error('Void: the load generator was the limit');
    return result;
  }

  stop(): void {
    this.program.process.kill('SIGTERM');
  }
}

export interface Question {
  readonly site: string;
  readonly key: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As it goes over the wire. */
export function requestOf({ site, key, body, headers = {} }: Question): string {
  const text = JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `POST /v1/sites/${site}/query HTTP/1.1\r\nHost: tidemark.example\r\nAuthorization: Bearer ${key}\r\n${lines.join('')}` +
    `Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}
