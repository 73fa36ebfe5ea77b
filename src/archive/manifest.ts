// Which segments make up the archive of a partition, in order, and how far the log is archived. Kept in
// PostgreSQL and changed in one transaction, only from the revision that whoever changes it has seen: a
// process that was paused and wakes up finds another revision and changes nothing.
import type { Pool, PoolClient } from 'pg';
import type { Partition, Position } from '../tracking-log/tracking-log.js';
import type { Segment } from './segment.js';

export interface Manifest {
  readonly partition: Partition;
  /** Rises with every change. */
  readonly revision: number;
  /** The log is archived up to and with this batch; null: not at all. */
  readonly position: Position | null;
  /** In order. Each begins where the one before ended, unless the log had lost what came between. */
  readonly segments: readonly Segment[];
}

/** What becomes of the segments that `removed` names; the order stays. */
export interface ManifestChange {
  /** A neighbouring run; absent: `added` follows the last segment. */
  readonly removed?: readonly Segment[];
  readonly added?: Segment;
}

interface SegmentRow {
  readonly object: string;
  readonly after_position: string | null;
  readonly first_position: string;
  readonly last_position: string;
  readonly events: string;
  readonly bytes: string;
  readonly sha256: string;
  readonly first_appended_at: string;
  readonly last_appended_at: string;
  readonly schema: number;
}

type ManifestRow = { readonly revision: string; readonly position: string | null } & (
  SegmentRow | { readonly object: null }
);

export class Manifests {
  constructor(private readonly pool: Pool) {}

  async read(partition: Partition): Promise<Manifest> {
    // One statement, so that revision and segments belong together.
    const { rows } = await this.pool.query<ManifestRow>(
      `SELECT revision, position, object, after_position, first_position, last_position, events, bytes,
         sha256, first_appended_at, last_appended_at, schema
       FROM archive_partitions LEFT JOIN archive_segments USING (partition)
       WHERE partition = $1 ORDER BY ordinal`,
      [partition],
    );
    return {
      partition,
      revision: Number(rows[0]?.revision ?? 0),
      position: rows[0]?.position ?? null,
      segments: rows.flatMap((row) => (row.object === null ? [] : [segmentOf(partition, row)])),
    };
  }

  /** False: the manifest is another one by now, and nothing was changed. */
  async change(from: Manifest, change: ManifestChange): Promise<boolean> {
    return this.#transaction(async (client) => {
      const { partition } = from;
      if (!(await raise(client, from))) return false;
      const { removed, added } = change;
      let ordinal = from.revision + 1;
      if (removed !== undefined) {
        const { rows } = await client.query<{ ordinal: string }>(
          'DELETE FROM archive_segments WHERE partition = $1 AND object = ANY($2) RETURNING ordinal',
          [partition, removed.map(({ object }) => object)],
        );
        ordinal = Math.max(...rows.map((row) => Number(row.ordinal)));
      } else if (added !== undefined) {
        await client.query('UPDATE archive_partitions SET position = $2 WHERE partition = $1', [
          partition,
          added.last,
        ]);
      }
      if (added !== undefined) await insert(client, added, ordinal);
      return true;
    });
  }

  /** Puts another manifest, of a higher revision, in the place of this one. */
  async replace(from: Manifest, by: Manifest): Promise<boolean> {
    return this.#transaction(async (client) => {
      const { partition } = from;
      if (!(await raise(client, from))) return false;
      await client.query('DELETE FROM archive_segments WHERE partition = $1', [partition]);
      for (const [index, segment] of by.segments.entries()) await insert(client, segment, index);
      await client.query('UPDATE archive_partitions SET revision = $2, position = $3 WHERE partition = $1', [
        partition,
        by.revision,
        by.position,
      ]);
      return true;
    });
  }

  async #transaction(work: (client: PoolClient) => Promise<boolean>): Promise<boolean> {
    const client = await this.pool.connect();
    let failure: Error | undefined;
    try {
      await client.query('BEGIN');
      const isDone = await work(client);
      await client.query(isDone ? 'COMMIT' : 'ROLLBACK');
      return isDone;
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      // A connection whose transaction failed is not used again.
      client.release(failure);
    }
  }
}

/** Locks the manifest and moves its revision; false if it is not what was seen. */
async function raise(client: PoolClient, { partition, revision }: Manifest): Promise<boolean> {
  if (revision === 0) {
    const { rowCount } = await client.query(
      'INSERT INTO archive_partitions (partition, revision) VALUES ($1, 1) ON CONFLICT DO NOTHING',
      [partition],
    );
    return rowCount === 1;
  }
  const { rowCount } = await client.query(
    'UPDATE archive_partitions SET revision = revision + 1, updated_at = now() WHERE partition = $1 AND revision = $2',
    [partition, revision],
  );
  return rowCount === 1;
}

async function insert(client: PoolClient, segment: Segment, ordinal: number): Promise<void> {
  await client.query(
    `INSERT INTO archive_segments (partition, ordinal, object, after_position, first_position, last_position,
       events, bytes, sha256, first_appended_at, last_appended_at, schema)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      segment.partition,
      ordinal,
      segment.object,
      segment.after,
      segment.first,
      segment.last,
      segment.events,
      segment.bytes,
      segment.sha256,
      segment.firstAppendedAt,
      segment.lastAppendedAt,
      segment.schema,
    ],
  );
}

function segmentOf(partition: Partition, row: SegmentRow): Segment {
  return {
    object: row.object,
    partition,
    after: row.after_position,
    first: row.first_position,
    last: row.last_position,
    events: Number(row.events),
    bytes: Number(row.bytes),
    sha256: row.sha256,
    firstAppendedAt: Number(row.first_appended_at),
    lastAppendedAt: Number(row.last_appended_at),
    schema: row.schema,
  };
}
