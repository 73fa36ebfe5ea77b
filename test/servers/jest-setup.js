// Before a Jest run: names the directory its workers share, and clears away what runs that were
// killed left behind. Starts nothing, so that a run of pure specs pays nothing. Plain
// JavaScript, because Jest maps no module names for its setup.
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, removeRun } from './jest-run.js';

const PREFIX = 'tidemark-jest-';

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
}
