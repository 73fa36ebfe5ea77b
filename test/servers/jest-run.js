// What one Jest run shares: a directory, and in it the PostgreSQL that postgres.ts starts and the
// directories of the servers that server-process.ts and docker.ts start.
import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const GONE_POLL_MS = 10;
const GONE_POLLS_MAX = 3_000;

/** Stops the run's servers, if it has any, and deletes the directory. */
export async function removeRun(directory) {
  const pidFile = await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(pidFile, 10);
  if (pid > 0 && isAlive(pid)) {
    process.kill(pid, 'SIGQUIT'); // at once: nothing of it is kept
    await isGone(pid);
  }
  await killServers(directory);
  await rm(directory, { recursive: true, force: true });
}

async function killServers(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const { name, parentPath } of entries) {
    if (name !== 'server.pid' && name !== 'server.container') continue;
    const text = await readFile(join(parentPath, name), 'utf8');
    if (name === 'server.container') spawnSync('docker', ['rm', '--force', text]);
    else await killServer(Number(text), parentPath);
  }
}

/** Only if it still is that server: numbers are given again. */
async function killServer(pid, directory) {
  if (!isAlive(pid) || !(await commandOf(pid)).includes(directory)) return;
  process.kill(pid, 'SIGKILL');
  await isGone(pid);
}

async function commandOf(pid) {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return (
    command || (spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '')
  );
}

async function isGone(pid) {
  for (let waits = 0; waits < GONE_POLLS_MAX && isAlive(pid); waits++) await delay(GONE_POLL_MS);
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
