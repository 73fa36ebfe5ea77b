// A PostgreSQL of the caller's own, to be hung, killed and started again on the same port and data:
// made and configured as the product's embedded one, durability included, but nobody watches over it.
import { spawnSync } from 'node:child_process';
import { chmod, rm } from 'node:fs/promises';
import { Client } from 'pg';
import { openCluster, SUPERUSER } from '../../src/postgres/cluster.js';
import {
  findServerBinaries,
  packagedNative,
  SERVER_ENVIRONMENT,
} from '../../src/postgres/server-binaries.js';
import { freePort } from './free-port.js';
import { migrated, type MigratedPostgres } from './postgres.js';
import { serverDirectory } from './run-directory.js';
import { type ServerProcess, startServer } from './server-process.js';

export interface OwnPostgres extends MigratedPostgres {
  /** Killed is the postmaster alone, whose children then end by themselves; hung are all of them. */
  readonly process: ServerProcess;
}

const RUNNING_CHILD = /^ *(\d+) +(\d+)$/;

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const directory = serverDirectory('postgres');
  // PostgreSQL runs as another user when the tests run as root.
  await chmod(directory, 0o755);
  const binaries = await findServerBinaries(packagedNative(), [directory]);
  const cluster = await openCluster({ dataDirectory: directory, binaries });
  const port = await freePort();
  const url = `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/postgres?sslmode=disable`;
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  const postmaster = await startServer({
    command: binaries.postgres,
    args: [
      '-D',
      cluster.serverPath,
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    directory,
    environment: SERVER_ENVIRONMENT,
    user: binaries.user,
    answers: () => answers(url),
  });
  const stopServer = async (): Promise<void> => {
    signalAll(postmaster.pid, 'SIGKILL');
    await postmaster.kill();
    await rm(directory, { recursive: true, maxRetries: 5 });
  };
  const database = await migrated({ url, stop: stopServer });
  return { ...database, process: hungWithChildren(postmaster) };
}

function hungWithChildren(postmaster: ServerProcess): ServerProcess {
  return {
    get pid() {
      return postmaster.pid;
    },
    kill: () => postmaster.kill(),
    start: () => postmaster.start(),
    pause() {
      postmaster.pause(); // first, so that it has no more children afterwards
      signalAll(postmaster.pid, 'SIGSTOP');
    },
    resume: () => signalAll(postmaster.pid, 'SIGCONT'),
  };
}

/** Each child has a session of its own, so there is no group to signal. */
function signalAll(pid: number, signal: NodeJS.Signals): void {
  const { status, stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  if (status !== 0) throw new Error('The children of PostgreSQL are found by ps, which does not run here');
  for (const line of stdout.split('\n')) {
    const [, own, parent] = RUNNING_CHILD.exec(line) ?? [];
    if (Number(own) === pid || Number(parent) === pid) sendTo(Number(own), signal);
  }
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  );
}
