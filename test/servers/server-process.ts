// A real server as a process that a test may kill, hang and start again on the same port and data.
// Its directory keeps `server.pid`, by which jest-run.js finds what a killed run left behind, and
// `server.log`, whose end is told when it does not start.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** With -9; settles when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it hangs, and its connections with it. */
  pause(): void;
  resume(): void;
  /** Again, with the same ports and data; settles when it answers. */
  start(): Promise<void>;
}

export interface ServerCommand {
  readonly command: string;
  /** Must name `directory`: by that jest-run.js knows that a process is the one it looks for. */
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whom it runs as, if not as whoever starts it. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Asked until it says yes. */
  readonly answers: () => Promise<boolean>;
}

const START_TIMEOUT_MS = 180_000;
const ASK_INTERVAL_MS = 50;
const LOG_CHARACTERS_TOLD = 2_000;

export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  if (!command.args.some((argument) => argument.includes(command.directory))) {
    throw new Error(`The arguments of ${command.command} do not name ${command.directory}`);
  }
  const server = new LocalServer(command);
  await server.start();
  return server;
}

class LocalServer implements ServerProcess {
  #child: ChildProcess | undefined;

  constructor(private readonly command: ServerCommand) {}

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.command.command} was never started`);
    return this.#child.pid;
  }

  async start(): Promise<void> {
    if (this.#child && !hasEnded(this.#child)) throw new Error(`${this.command.command} is running`);
    const { command, args, directory, environment, user } = this.command;
    const log = openSync(join(directory, 'server.log'), 'a');
    const { PATH = '' } = process.env;
    // Detached, so that Ctrl-C leaves it to the clearing away that follows.
    const child = spawn(command, args, {
      cwd: directory,
      env: { PATH, ...environment },
      stdio: ['ignore', log, log],
      detached: true,
      ...(user && { uid: user.uid, gid: user.gid }),
    });
    closeSync(log);
    await once(child, 'spawn');
    child.unref();
    this.#child = child;
    writeFileSync(join(directory, 'server.pid'), String(child.pid));
    await waitForAnswer(this.command, () => hasEnded(child));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || hasEnded(child)) return;
    child.ref();
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }
}

/** @throws with the end of the server's log, if it ends or does not answer in time. */
export async function waitForAnswer(
  { command, directory, answers }: Pick<ServerCommand, 'command' | 'directory' | 'answers'>,
  hasEnded: () => boolean,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers())) {
    if (!hasEnded() && Date.now() < deadline) {
      await delay(ASK_INTERVAL_MS);
      continue;
    }
    const what = hasEnded() ? 'ended' : `did not answer within ${START_TIMEOUT_MS} ms`;
    const log = readFileSync(join(directory, 'server.log'), 'utf8').slice(-LOG_CHARACTERS_TOLD);
    throw new Error(`${command} ${what}. Its log ends with:\n${log}`);
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Whether somebody accepts connections there. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
