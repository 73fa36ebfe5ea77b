// Rows of all partitions are in one table, so all must be written before it gets its keys and indexes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Projection } from '../projection.js';
import { indexBulkTables } from '../read-model-tables.js';
import type { RebuildProgress } from './rebuild-progress.js';

const LOOK_MS = 500;

export interface IndexOptions {
  readonly pool: Pool;
  readonly progress: RebuildProgress;
  readonly projections: readonly Projection[];
  readonly version: number;
  /** Of the log. */
  readonly partitions: number;
}

/** True when the tables are as those of any other version; false after the signal. */
export async function indexWhenWritten(
  { pool, progress, projections, version, partitions }: IndexOptions,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    const known = await progress.read(version);
    if (known.filter(({ phase }) => phase === 'following').length === partitions) {
      await indexBulkTables(pool, projections);
      return true;
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
  return false;
}
