// What is known of the days of a version: which are clustered, and how far the one is that is being clustered.
// Each move of rows counts up from the count that its process knows: of two processes one waits, and then
// sees that it is not the only one.
import type { Pool, PoolClient } from 'pg';

export interface ClusteredDay {
  readonly version: number;
  /** Epoch ms. */
  readonly day: number;
}

/** How far a day has come. */
export interface DayProgress {
  /** The last site of which all rows have been moved; empty before the first. */
  readonly site: string;
  readonly moves: number;
}

export async function clusteredDays(pool: Pool, version: number): Promise<ReadonlySet<number>> {
  const { rows } = await pool.query<{ day: Date }>(
    'SELECT day FROM clustered_days WHERE version = $1 AND clustered_at IS NOT NULL',
    [version],
  );
  return new Set(rows.map(({ day }) => day.getTime()));
}

/** Epoch ms up to which the rows of a rebuilt version were written in order; −∞ for any other. */
export async function orderedUntil(pool: Pool, version: number): Promise<number> {
  const { rows } = await pool.query<{ until: Date | null }>(
    `SELECT CASE WHEN bool_and(ordered_until IS NOT NULL) THEN min(ordered_until) END AS until
     FROM rebuild_partitions WHERE version = $1`,
    [version],
  );
  return rows[0]!.until?.getTime() ?? Number.NEGATIVE_INFINITY;
}

export async function beginDay(pool: Pool, { version, day }: ClusteredDay): Promise<DayProgress> {
  const key = [version, new Date(day)];
  await pool.query('INSERT INTO clustered_days (version, day) VALUES ($1, $2) ON CONFLICT DO NOTHING', key);
  const { rows } = await pool.query<DayProgress>(
    'SELECT site, moves FROM clustered_days WHERE version = $1 AND day = $2',
    key,
  );
  return rows[0]!;
}

/** Whoever else moves rows of the day waits until the transaction ends. False when another has moved some. */
export async function claimMove(
  client: PoolClient,
  { version, day }: ClusteredDay,
  moves: number,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE clustered_days SET moves = moves + 1
     WHERE version = $1 AND day = $2 AND moves = $3 AND clustered_at IS NULL`,
    [version, new Date(day), moves],
  );
  return rowCount === 1;
}

/** To the site that is done. False when another has moved rows. */
export async function advanceDay(
  pool: Pool,
  { version, day }: ClusteredDay,
  { site, moves }: DayProgress,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE clustered_days SET site = $4
     WHERE version = $1 AND day = $2 AND moves = $3 AND clustered_at IS NULL`,
    [version, new Date(day), moves, site],
  );
  return rowCount === 1;
}

export async function finishDay(pool: Pool, { version, day }: ClusteredDay): Promise<void> {
  await pool.query(
    'UPDATE clustered_days SET clustered_at = now() WHERE version = $1 AND day = $2 AND clustered_at IS NULL',
    [version, new Date(day)],
  );
}
