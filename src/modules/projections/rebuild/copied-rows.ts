// How a partition of a rebuild of some days begins: all that it will not write itself is copied from the
// version that answers, byte for byte. In one snapshot of that version's rows and checkpoint, so that the
// log up to there, and nothing later, is what the rows have seen that are written beside the copied ones.
import type { Pool, PoolClient } from 'pg';
import type { Position } from '../../../tracking-log/tracking-log.js';
import type { Feed } from '../feed.js';
import { type Projection, tableOf } from '../projection.js';
import { MonthPartitions, monthsOf } from '../read-model-tables.js';
import { boundsSql } from './bounds-sql.js';
import { hoursWithin, mapRanges, type Ranges, timeColumnOf } from './build-scope.js';

export interface CopyOptions {
  readonly pool: Pool;
  readonly feed: Feed;
  readonly projections: readonly Projection[];
  /** The version to copy from. */
  readonly basis: number;
  /** Null: all. */
  readonly sites: readonly string[] | null;
  readonly ranges: Ranges;
}

/**
 * @param begin within the transaction, with where that version stands; false when another has begun
 * @throws Error when the tables of both versions are not of one shape
 */
export async function beginWithCopies(
  options: CopyOptions,
  begin: (client: PoolClient, end: Position | null) => Promise<boolean>,
): Promise<void> {
  const { pool, feed, basis } = options;
  await mustBeOfOneShape(options);
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(
      'BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL statement_timeout TO 0; SET LOCAL synchronous_commit TO off',
    );
    const end = await checkpointOf(client, { version: basis, partition: feed.partition });
    if (await begin(client, end)) await copyRows(client, options);
    await client.query('COMMIT');
  } catch (error) {
    failure = error as Error;
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release(failure);
  }
}

async function checkpointOf(client: PoolClient, { version, partition }: Feed): Promise<Position | null> {
  const { rows } = await client.query<{ position: Position | null }>(
    'SELECT DISTINCT position FROM checkpoints WHERE version = $1 AND partition = $2',
    [version, partition],
  );
  if (rows.length > 1) {
    throw new Error(`The projections of version ${version} do not stand together: nothing can be copied`);
  }
  return rows[0]?.position ?? null;
}

async function copyRows(client: PoolClient, options: CopyOptions): Promise<void> {
  const { pool, feed, projections, basis, sites, ranges } = options;
  // Before the first row: making a month waits for whoever writes into the table.
  for (const projection of projections) {
    if (projection.partitionBy === undefined) continue;
    const wanted = await monthsOf(client, tableOf({ ...projection, version: basis }));
    await new MonthPartitions(pool, tableOf(projection)).ensure(wanted);
  }
  const hours = mapRanges(ranges, hoursWithin);
  for (const projection of projections) {
    const columns = Object.keys(projection.columns).join(', ');
    const time = timeColumnOf(projection);
    const bounds = boundsSql(projection.kind === 'rows' ? ranges : hours, 3);
    await client.query(
      `INSERT INTO ${tableOf(projection)} (${columns})
       SELECT ${columns} FROM ${tableOf({ ...projection, version: basis })} ${bounds.join}
       WHERE partition = $1 AND ($2::text[] IS NULL OR site = ANY($2)) AND (${time} < ${bounds.low} OR ${time} >= ${bounds.high})
       ORDER BY ${projection.primaryKey.join(', ')}`,
      [feed.partition, sites, ...bounds.values],
    );
  }
}

async function mustBeOfOneShape({ pool, projections, basis }: CopyOptions): Promise<void> {
  for (const projection of projections) {
    const from = tableOf({ ...projection, version: basis });
    const { rows } = await pool.query<{ name: string; from: string | null; to: string | null }>(
      `SELECT name, theirs.type AS "from", ours.type AS "to"
       FROM (${columnsSql('$1')}) AS theirs FULL JOIN (${columnsSql('$2')}) AS ours USING (name)
       WHERE theirs.type IS DISTINCT FROM ours.type ORDER BY name`,
      [from, tableOf(projection)],
    );
    if (rows.length === 0) continue;
    const differing = rows.map(
      ({ name, from, to }) => `${name} (${from ?? 'absent'}, now ${to ?? 'absent'})`,
    );
    throw new Error(
      `Days of ${projection.name} cannot be built anew: in version ${basis}, from which the others would be copied, ` +
        `other columns are declared: ${differing.join(', ')}. Rebuild all days.`,
    );
  }
}

const columnsSql = (table: string): string =>
  `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
   WHERE attrelid = to_regclass(${table}) AND attnum > 0 AND NOT attisdropped`;
