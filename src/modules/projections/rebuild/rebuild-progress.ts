// How far each partition of a rebuild has come. Moved only from where it was, in the transaction that
// writes the rows, as checkpoints are: whoever finds it elsewhere has lost the partition to another.
import type { Pool, PoolClient } from 'pg';
import type { Partition, Position } from '../../../tracking-log/tracking-log.js';
import type { Feed } from '../feed.js';
import type { Projection } from '../projection.js';
import type { BucketPlan } from './bucket-plan.js';

/** Sorting the log into buckets; writing them bucket by bucket; then projecting what came since. */
export type RebuildPhase = 'sorting' | 'writing' | 'following';

export interface PartitionProgress {
  readonly partition: Partition;
  readonly phase: RebuildPhase;
  readonly plan: BucketPlan;
  /** Sorted up to here. */
  readonly position: Position | null;
  /** Buckets written. */
  readonly step: number;
  readonly eventsSorted: number;
  readonly eventsWritten: number;
  /** Events there will be, about. */
  readonly eventsExpected: number;
  /** Why it does not get on; it is tried again. */
  readonly error: string | null;
}

interface Row {
  readonly partition: number;
  readonly phase: RebuildPhase;
  readonly plan: BucketPlan;
  readonly position: Position | null;
  readonly step: number;
  readonly events_sorted: string;
  readonly events_written: string;
  readonly events_expected: string;
  readonly error: string | null;
}

const COLUMNS =
  'partition, phase, plan, position, step, events_sorted, events_written, events_expected, error';

export class RebuildProgress {
  constructor(private readonly pool: Pool) {}

  /** All partitions that have begun. */
  async read(version: number): Promise<readonly PartitionProgress[]> {
    const { rows } = await this.pool.query<Row>(
      `SELECT ${COLUMNS} FROM rebuild_partitions WHERE version = $1 ORDER BY partition`,
      [version],
    );
    return rows.map(progressOf);
  }

  /** With this plan; false when it has begun already. */
  async begin(
    client: Pick<PoolClient, 'query'>,
    { version, partition }: Feed,
    { plan, eventsExpected }: Pick<PartitionProgress, 'plan' | 'eventsExpected'>,
  ): Promise<boolean> {
    const { rowCount } = await client.query(
      `INSERT INTO rebuild_partitions (version, partition, plan, events_expected, ordered_until) VALUES ($1, $2, $3, $4, now())
       ON CONFLICT DO NOTHING`,
      [version, partition, JSON.stringify(plan), eventsExpected],
    );
    return rowCount === 1;
  }

  async find({ version, partition }: Feed): Promise<PartitionProgress | undefined> {
    const { rows } = await this.pool.query<Row>(
      `SELECT ${COLUMNS} FROM rebuild_partitions WHERE version = $1 AND partition = $2`,
      [version, partition],
    );
    return rows[0] && progressOf(rows[0]);
  }

  /** For people to see; nothing hangs on it. */
  async sorted({ version, partition }: Feed, position: Position, events: number): Promise<void> {
    await this.pool.query(
      `UPDATE rebuild_partitions SET position = $3, events_sorted = $4, error = NULL, updated_at = now()
       WHERE version = $1 AND partition = $2 AND phase = 'sorting'`,
      [version, partition, position, events],
    );
  }

  async startWriting({ version, partition }: Feed, eventsExpected: number): Promise<void> {
    await this.pool.query(
      `UPDATE rebuild_partitions SET phase = 'writing', events_expected = $3, events_sorted = $3, updated_at = now()
       WHERE version = $1 AND partition = $2 AND phase = 'sorting'`,
      [version, partition, eventsExpected],
    );
  }

  /** False: another has written this bucket, or the rebuild is over. Nothing may be committed then. */
  async wrote(client: PoolClient, { version, partition }: Feed, bucket: { step: number; events: number }) {
    const { rowCount } = await client.query(
      `UPDATE rebuild_partitions SET step = $3 + 1, events_written = events_written + $4, error = NULL, updated_at = now()
       WHERE version = $1 AND partition = $2 AND phase = 'writing' AND step = $3`,
      [version, partition, bucket.step, bucket.events],
    );
    return rowCount === 1;
  }

  /** The rows say everything up to the plan's end: from there on the partition is projected as ever. */
  async finish({ version, partition }: Feed, projections: readonly Projection[]): Promise<void> {
    await this.pool.query(
      `WITH done AS (
         UPDATE rebuild_partitions SET phase = 'following', updated_at = now()
         WHERE version = $1 AND partition = $2 AND phase = 'writing'
         RETURNING plan ->> 'end' AS "end", events_written
       )
       INSERT INTO checkpoints (projection, version, partition, position, events)
       SELECT projection, $1, $2, "end", events_written FROM done, unnest($3::text[]) AS projection`,
      [version, partition, projections.map(({ name }) => name)],
    );
  }

  async failing({ version, partition }: Feed, error: string): Promise<void> {
    await this.pool.query(
      `UPDATE rebuild_partitions SET error = $3, updated_at = now() WHERE version = $1 AND partition = $2`,
      [version, partition, error],
    );
  }
}

const progressOf = (row: Row): PartitionProgress => ({
  partition: row.partition,
  phase: row.phase,
  plan: row.plan,
  position: row.position,
  step: row.step,
  eventsSorted: Number(row.events_sorted),
  eventsWritten: Number(row.events_written),
  eventsExpected: Number(row.events_expected),
  error: row.error,
});
