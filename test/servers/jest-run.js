// What one Jest run shares: a directory, and in it the PostgreSQL that postgres.ts starts.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Stops the run's server, if it has one, and deletes the directory. */
export async function removeRun(directory) {
  const pidFile = await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(pidFile, 10);
  if (pid > 0 && isAlive(pid)) {
    process.kill(pid, 'SIGINT'); // fast shutdown
    for (let waits = 0; waits < 500 && isAlive(pid); waits++) await delay(10);
  }
  await rm(directory, { recursive: true, force: true });
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
