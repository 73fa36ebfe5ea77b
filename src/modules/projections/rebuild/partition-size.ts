// How much a partition of a rebuild will have to sort, as the version that answers knows it.
import type { Pool } from 'pg';
import { type Projection, tableOf } from '../projection.js';
import { boundsSql } from './bounds-sql.js';
import type { PartitionSize } from './bucket-plan.js';
import { mapRanges, neededTimes, type Ranges } from './build-scope.js';

export interface Measured {
  readonly partition: number;
  readonly bucketEventsMax: number;
  /** Null: all. */
  readonly sites: readonly string[] | null;
  readonly ranges: Ranges | null;
}

const ALWAYS: Ranges = {
  usual: { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY },
  bySite: new Map(),
};

export async function partitionSize(
  pool: Pool,
  traffic: Pick<Projection, 'name' | 'version'>,
  { partition, bucketEventsMax, sites, ranges }: Measured,
): Promise<PartitionSize> {
  const bounds = boundsSql(ranges === null ? ALWAYS : mapRanges(ranges, neededTimes), 3);
  const { rows } = await pool.query<{ site: string; events: string }>(
    `SELECT site, sum(events) AS events FROM ${tableOf(traffic)} ${bounds.join}
     WHERE partition = $1 AND ($2::text[] IS NULL OR site = ANY($2)) AND hour >= ${bounds.low} AND hour < ${bounds.high}
     GROUP BY site ORDER BY site`,
    [partition, sites, ...bounds.values],
  );
  const isPartial = sites !== null || ranges !== null;
  return {
    events: isPartial
      ? rows.reduce((sum, { events }) => sum + Number(events), 0)
      : await projectedEvents(pool, traffic, partition),
    largeSites: rows.filter(({ events }) => Number(events) > bucketEventsMax / 2).map(({ site }) => site),
  };
}

/** Those that are kept back from counters included. */
async function projectedEvents(
  pool: Pool,
  { name, version }: Pick<Projection, 'name' | 'version'>,
  partition: number,
): Promise<number> {
  const { rows } = await pool.query<{ events: string }>(
    'SELECT events FROM checkpoints WHERE projection = $1 AND version = $2 AND partition = $3',
    [name, version, partition],
  );
  return Number(rows[0]?.events ?? 0);
}
