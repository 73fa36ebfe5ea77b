// Writes which periods of which sites a flush changed: read-models/changed-periods.ts says what for.
import type { PoolClient } from 'pg';
import type { Position } from '../../tracking-log/tracking-log.js';
import type { Flush } from './flush.js';
import { changedPeriodsTable } from './read-models/changed-periods.js';

export interface ChangedPeriodsPlace {
  readonly version: number;
  readonly partition: number;
  /** The log up to here is in the rows. */
  readonly position: Position;
}

export async function writeChangedPeriods(
  client: PoolClient,
  { changedPeriods }: Flush,
  { version, partition, position }: ChangedPeriodsPlace,
): Promise<void> {
  const rows = [...changedPeriods].flatMap(([site, periods]) =>
    [...periods].map((period) => [site, new Date(period).toISOString()] as const),
  );
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO ${changedPeriodsTable(version)} (site, period, partition, position)
      SELECT site, period, $3, $4 FROM unnest($1::text[], $2::timestamptz[]) AS changed(site, period)
      ON CONFLICT (site, period, partition) DO UPDATE SET position = excluded.position`,
    [rows.map(([site]) => site), rows.map(([, period]) => period), partition, position],
  );
}
