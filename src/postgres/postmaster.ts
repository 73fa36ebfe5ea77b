// One postmaster on one cluster: finds the one that runs, starts one, stops it. PostgreSQL's
// own lock file decides who wins when two processes start at once; whoever loses adopts.
// Signals and postmaster.pid are used instead of pg_ctl, which trusts a process id that a
// restarted container may have given to somebody else, and refuses to run as root.
import { spawn } from 'node:child_process';
import { open, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, isAlive } from './cluster.js';
import { EmbeddedServerError } from './postgres.errors.js';
import { SERVER_ENVIRONMENT } from './server-binaries.js';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

export interface EnsureOptions {
  readonly logPath: string;
  /** Absent: any free port. A running server keeps the one it has. */
  readonly port?: number;
}

const POLL_INTERVAL_MS = 10;
/** Recovery after a crash replays at most max_wal_size of log. */
const READY_TIMEOUT_MS = 120_000;
const START_ATTEMPTS = 3;
const PORT_FILE = 'tidemark.port';
const PID_FILE_WRITE_MS_MAX = 5_000;
const LOG_BYTES_MAX = 10_000_000;

/** Settles once a postmaster of this cluster accepts connections; `started` says by whom. */
export async function ensurePostmaster(
  cluster: Cluster,
  options: EnsureOptions,
): Promise<Postmaster & { readonly started: boolean }> {
  for (let attempt = 1; ; attempt++) {
    const running = await findPostmaster(cluster.directory);
    if (running) return { ...running, started: false };
    const port = options.port ?? (await choosePort(cluster.directory, attempt));
    const start = await startPostmaster(cluster, { logPath: options.logPath, port });
    if (start.outcome === 'ready') {
      await writeFile(join(cluster.directory, PORT_FILE), `${port}\n`);
      return { pid: start.pid, port, started: true };
    }
    if (attempt === START_ATTEMPTS) {
      throw new EmbeddedServerError(
        `PostgreSQL did not start: ${start.reason}. The end of ${options.logPath}:\n${await tail(options.logPath)}`,
      );
    }
  }
}

/** Fast shutdown; settles when the postmaster is gone, or rejects after `timeoutMs` (it still goes). */
export async function stopPostmaster(
  directory: string,
  options: { readonly pid: number; readonly timeoutMs: number },
): Promise<void> {
  signal(options.pid);
  const deadline = Date.now() + options.timeoutMs;
  while (await serves(options.pid, directory)) {
    if (Date.now() > deadline) {
      throw new EmbeddedServerError(
        `PostgreSQL (process ${options.pid}) is still shutting down after ${options.timeoutMs} ms`,
      );
    }
    await delay(POLL_INTERVAL_MS);
  }
}

/** SIGINT means fast shutdown to a postmaster. */
export function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The cluster's postmaster once it is ready; undefined once it is certain that none runs. */
async function findPostmaster(directory: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const file = await readPidFile(directory);
    if (!file) return undefined;
    if (file.pid === undefined) {
      // Being written, or cut short by a power failure.
      if (file.ageMs > PID_FILE_WRITE_MS_MAX) await rm(pidFile(directory), { force: true });
      await delay(POLL_INTERVAL_MS);
      continue;
    }
    if (!(await serves(file.pid, directory))) {
      // A dead writer is left to PostgreSQL, which also looks for its orphaned children. A
      // living stranger under the same number would stop it from starting.
      if (isAlive(file.pid)) await rm(pidFile(directory), { force: true });
      return undefined;
    }
    if (file.ready) return { pid: file.pid, port: file.port };
    if (Date.now() > deadline) {
      throw new EmbeddedServerError(
        `PostgreSQL (process ${file.pid}) is not ready after ${READY_TIMEOUT_MS} ms`,
      );
    }
    await delay(POLL_INTERVAL_MS);
  }
}

type Start =
  | { readonly outcome: 'ready'; readonly pid: number }
  | { readonly outcome: 'failed'; readonly reason: string };

async function startPostmaster(
  cluster: Cluster,
  options: { readonly logPath: string; readonly port: number },
): Promise<Start> {
  const { user, postgres } = cluster.binaries;
  await rotate(options.logPath);
  const log = await open(options.logPath, 'a', 0o600);
  const child = spawn(
    postgres,
    [
      ...['-D', cluster.serverPath],
      ...['-c', `port=${options.port}`],
      ...['-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'unix_socket_directories='],
    ],
    {
      cwd: cluster.directory,
      env: SERVER_ENVIRONMENT,
      // Its own process group: Ctrl-C in the terminal is for Tidemark, which stops it last.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    },
  );
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, exitSignal) => (failure ??= `it ended with ${exitSignal ?? `code ${code}`}`));
  child.unref();
  await log.close();

  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (failure === undefined && Date.now() < deadline) {
    const file = await readPidFile(cluster.directory);
    if (file?.ready && file.pid !== undefined && file.pid === child.pid)
      return { outcome: 'ready', pid: file.pid };
    await delay(POLL_INTERVAL_MS);
  }
  return { outcome: 'failed', reason: failure ?? `it was not ready after ${READY_TIMEOUT_MS} ms` };
}

interface PidFile {
  /** Undefined while the file is incomplete. */
  readonly pid: number | undefined;
  readonly port: number;
  readonly ready: boolean;
  readonly ageMs: number;
}

const pidFile = (directory: string): string => join(directory, 'postmaster.pid');

async function readPidFile(directory: string): Promise<PidFile | undefined> {
  try {
    const { mtimeMs } = await stat(pidFile(directory));
    const lines = (await readFile(pidFile(directory), 'utf8')).split('\n');
    const pid = /^\d+$/.test(lines[0] ?? '') && lines.length > 1 ? Number(lines[0]) : undefined;
    const ready = lines[7]?.trim() === 'ready';
    return { pid, port: Number(lines[3]), ready, ageMs: Date.now() - mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A postmaster's working directory is its cluster. Without /proc, being alive must do. */
async function serves(pid: number, directory: string): Promise<boolean> {
  if (process.platform !== 'linux') return isAlive(pid);
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(directory));
  } catch {
    return false;
  }
}

async function rotate(logPath: string): Promise<void> {
  const size = await stat(logPath).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rename(logPath, `${logPath}.1`);
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .trimEnd()
    .split('\n')
    .slice(-5)
    .map((line) => `  ${line}`)
    .join('\n');
}

/** The port of last time, so that processes which knew it find the server again; else a free one. */
async function choosePort(directory: string, attempt: number): Promise<number> {
  const last = attempt === 1 ? await readFile(join(directory, PORT_FILE), 'utf8').catch(() => '') : '';
  return Number(last) || freePort();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
