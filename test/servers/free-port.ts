// A port for a server that will be killed and started again on it. Taken from below the range that
// systems give to outgoing connections: else, while the server is away, a client's own end could get
// the port, and a client that keeps trying to connect could even meet itself. Given once in a Jest run:
// while its server is dead or not started yet, a port looks free to the other worker.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runDirectory } from './run-directory.js';

const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES_MAX = 100;

/** Where no run is shared: benches. */
const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if ((await isFree(port)) && take(port)) return port;
  }
  throw new Error(`No free port between ${LOWEST} and ${HIGHEST} in ${TRIES_MAX} tries`);
}

/** False: somebody has it already. */
function take(port: number): boolean {
  const run = runDirectory();
  if (run === undefined) {
    if (given.has(port)) return false;
    given.add(port);
    return true;
  }
  const directory = join(run, 'ports');
  mkdirSync(directory, { recursive: true });
  try {
    closeSync(openSync(join(directory, String(port)), 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(port, '127.0.0.1', resolve),
    );
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
