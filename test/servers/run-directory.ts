// Where the servers of a test keep their files: below the directory of the Jest run, which
// jest-teardown.js removes with every server still in it; outside Jest (benches) in one of their own.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The directory that all workers of this Jest run share; set by jest-setup.js. */
export const runDirectory = (): string | undefined => process.env['TIDEMARK_JEST_RUN_DIRECTORY'];

/** A new directory for one server, its owner's to remove. */
export function serverDirectory(kind: string): string {
  const run = runDirectory();
  if (run === undefined) return mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  mkdirSync(join(run, 'servers'), { recursive: true });
  return mkdtempSync(join(run, 'servers', `${kind}-`));
}
