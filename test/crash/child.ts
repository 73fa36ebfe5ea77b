// A compiled program of the project run as a process that a test watches line by line and kills.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { builtApp } from '../servers/built-app.js';

export interface ChildOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** Put before `node`, such as `['strace', '-f']`. */
  readonly wrapper?: readonly string[];
}

export class Child {
  readonly lines: string[] = [];
  stderr = '';
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #waiting: { until: (child: Child) => boolean; resolve: () => void }[] = [];

  private constructor(private readonly process: ChildProcessByStdio<null, Readable, Readable>) {
    let rest = '';
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.lines.push(...lines);
      this.#tell();
    });
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      process.on('close', (code, signal) => {
        resolve({ code, signal });
        this.#tell();
      });
    });
  }

  /** `program`: path in the repository, with `.js` for `.ts`. */
  static async start(program: string, { environment, wrapper = [] }: ChildOptions): Promise<Child> {
    const tree = await builtApp();
    const [command, ...args] = [...wrapper, process.execPath, '--enable-source-maps', join(tree, program)];
    const { PATH = '' } = process.env;
    const child = spawn(command, args, {
      env: { PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Child(child);
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Settles when it has printed `count` lines; rejects if it ends before. */
  async printed(count: number): Promise<void> {
    const enough = (): boolean => this.lines.length >= count;
    const gone = (): boolean => this.process.exitCode !== null || this.process.signalCode !== null;
    if (!enough()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push({ until: () => enough() || gone(), resolve });
      });
    }
    if (!enough()) throw new Error(`The process ended early:\n${this.stderr}`);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.ended;
  }

  #tell(): void {
    const ready = this.#waiting.filter(({ until }) => until(this));
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}
