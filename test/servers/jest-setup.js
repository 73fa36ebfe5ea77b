// Before a Jest run: names the directory its workers share, clears away what runs that were killed left
// behind, and builds the tracker, which intake serves, if it has changed. Starts nothing, so that a run of pure
// specs pays nothing. Plain JavaScript, because Jest maps no module names for its setup.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, removeRun } from './jest-run.js';

const PREFIX = 'tidemark-jest-';
const TRACKER = fileURLToPath(new URL('../../tracker/', import.meta.url));

export default async function setUp() {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(PREFIX) && !isAlive(Number(name.slice(PREFIX.length)))) {
      await removeRun(join(tmpdir(), name));
    }
  }
  const directory = join(tmpdir(), `${PREFIX}${process.pid}`);
  await removeRun(directory);
  // Others may enter, because PostgreSQL runs as another user when the tests run as root.
  await mkdir(directory, { mode: 0o755 });
  process.env.TIDEMARK_JEST_RUN_DIRECTORY = directory;
  if (await isTrackerStale()) buildTracker();
}

async function isTrackerStale() {
  const changedAt = async (path) => (await stat(join(TRACKER, path)).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
  const sources = (await readdir(join(TRACKER, 'src'))).map((name) => join('src', name));
  const builtAt = await changedAt('dist/module.js');
  const changes = await Promise.all(['build.mjs', ...sources].map(changedAt));
  return changes.some((at) => at > builtAt);
}

function buildTracker() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(TRACKER, 'build.mjs')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The tracker could not be built:\n${stdout}${stderr}`);
}
