// Where the projections stand in each partition of the log. Moved only in the transaction that
// writes the rows, and only from the position this projector started from: whoever finds it
// elsewhere has lost the partition to another and must write nothing.
import type { Pool, PoolClient } from 'pg';
import type { Partition, Position } from '../../tracking-log/tracking-log.js';
import type { Projection } from './projection.js';

/** What is received takes this long at most to be in the log, in all but a failure. */
const INTAKE_IN_FLIGHT_MS = 1_000;

export interface Move {
  readonly partition: Partition;
  readonly from: Position | null;
  readonly to: Position;
  /** Epoch ms up to which the log has been read; see `watermarkAt`. */
  readonly readUntil: number;
  readonly events: number;
}

/** Projections are folded together and must stand together: somebody changed their checkpoints, or a definition. */
export class ProjectionsApartError extends Error {
  override readonly name = 'ProjectionsApartError';
  constructor(
    partition: Partition,
    standing: readonly { readonly projection: string; readonly position: Position | null }[],
  ) {
    const places = standing.map(
      ({ projection, position }) => `${projection} at ${position ?? 'the beginning'}`,
    );
    super(
      `The projections of partition ${partition} do not stand together: ${places.join(', ')}. ` +
        'Nothing is folded into this version any more. Build another one with `tidemark rebuild` and promote it.',
    );
  }
}

export class Checkpoints {
  readonly #names: readonly string[];
  readonly #versions: readonly number[];

  constructor(
    private readonly pool: Pool,
    projections: readonly Projection[],
  ) {
    this.#names = projections.map(({ name }) => name);
    this.#versions = projections.map(({ version }) => version);
  }

  /**
   * The common position of all projections; null before the first batch.
   * @throws ProjectionsApartError when they differ
   */
  async read(partition: Partition): Promise<Position | null> {
    await this.pool.query(
      `INSERT INTO checkpoints (projection, version, partition)
       SELECT *, $3 FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING`,
      [this.#names, this.#versions, partition],
    );
    const { rows } = await this.pool.query<{ projection: string; position: Position | null }>(
      `SELECT projection || '@' || version AS projection, position FROM checkpoints
       WHERE (projection, version) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND partition = $3
       ORDER BY 1`,
      [this.#names, this.#versions, partition],
    );
    const [first] = rows;
    if (rows.some(({ position }) => position !== first!.position)) {
      throw new ProjectionsApartError(partition, rows);
    }
    return first!.position;
  }

  /** False: the checkpoint is not where this projector left it. Nothing may be committed then. */
  async move(client: PoolClient, { partition, from, to, readUntil, events }: Move): Promise<boolean> {
    const { rowCount } = await client.query(
      `UPDATE checkpoints SET position = $4, events = events + $5, updated_at = now(),
         watermark = greatest(watermark, $6)
       WHERE (projection, version) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND partition = $3
         AND position IS NOT DISTINCT FROM $7`,
      [this.#names, this.#versions, partition, to, events, watermarkAt(readUntil), from],
    );
    return rowCount === this.#names.length;
  }

  /** The log had nothing after `position` at `readUntil`: what is in the rows is complete up to then. */
  async touch(partition: Partition, position: Position | null, readUntil: number): Promise<void> {
    await this.pool.query(
      `UPDATE checkpoints SET watermark = greatest(watermark, $4), updated_at = now()
       WHERE (projection, version) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND partition = $3
         AND position IS NOT DISTINCT FROM $5`,
      [this.#names, this.#versions, partition, watermarkAt(readUntil), position],
    );
  }
}

const watermarkAt = (readUntil: number): Date => new Date(readUntil - INTAKE_IN_FLIGHT_MS);
