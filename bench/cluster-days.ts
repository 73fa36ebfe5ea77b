// Clusters the days of synthetic facts that were over at a moment, as a projector does in the background, but
// without its rests.
import type { Pool } from 'pg';
import { clusterDay } from '../src/modules/projections/clustering/cluster-day.js';
import { CLUSTERING_ROWS_MAX } from '../src/modules/projections/clustering/clusterer.js';
import { daysToCluster } from '../src/modules/projections/clustering/days-to-cluster.js';
import { monthsOf, monthTableOf } from '../src/modules/projections/read-model-tables.js';
import { seconds } from './measure.js';

const TABLE = 'sessions_v1';

export interface Clustered {
  readonly rows: number;
  /** Of each move: for so long the partition's projector had to wait. */
  readonly moveMs: readonly number[];
  /** The rest: finding rows, and cleaning up after them, as gently as the product. */
  readonly cleaningMs: number;
}

export async function clusterDays(pool: Pool, until: number): Promise<Clustered> {
  const { signal } = new AbortController();
  const moveMs: number[] = [];
  let rows = 0;
  const moved = async (count: number, tookMs: number): Promise<void> => {
    rows += count;
    moveMs.push(tookMs);
  };
  const known = {
    months: await monthsOf(pool, TABLE),
    clustered: new Set<number>(),
    orderedUntil: -Infinity,
  };
  // From the oldest on, as days come to their end.
  const days = daysToCluster(known, until).toReversed();
  const taken = await seconds(async () => {
    for (const day of days) {
      const asked = { version: 1, day, table: monthTableOf(TABLE, day), rowsMax: CLUSTERING_ROWS_MAX };
      await clusterDay(pool, asked, { signal, moved });
    }
  });
  return { rows, moveMs, cleaningMs: taken * 1_000 - moveMs.reduce((sum, ms) => sum + ms, 0) };
}
