// How complete the serving read models are. Read before the rows of an answer, so that an answer
// holds at least what its watermark promises.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { type ServedProjection, servingVersion } from '../projections/read-models/serving.js';

const SERVED_PROJECTIONS: readonly ServedProjection[] = ['sessions', 'traffic'];

export interface ProjectionState {
  /** Such as `traffic@1`. */
  readonly label: string;
  readonly table: string;
  /** Everything received up to here is in the rows; null while a partition has no watermark yet. */
  readonly watermark: Date | null;
}

export interface ReadModelsState {
  readonly projections: Readonly<Record<ServedProjection, ProjectionState>>;
  /** Changes whenever the rows may have: versions and positions of all partitions. */
  readonly fingerprint: string;
}

interface CheckpointRow {
  readonly projection: ServedProjection;
  readonly partition: number;
  readonly position: string | null;
  readonly watermark: Date | null;
}

const REMEMBERED_MS = 250;

@Injectable()
export class Freshness {
  #remembered: { readonly state: Promise<ReadModelsState>; readonly until: number } | null = null;

  constructor(private readonly pool: Pool) {}

  /** At most 250 ms old. */
  current(): Promise<ReadModelsState> {
    const now = performance.now();
    if (this.#remembered !== null && now < this.#remembered.until) return this.#remembered.state;
    const remembered = { state: this.read(), until: now + REMEMBERED_MS };
    this.#remembered = remembered;
    remembered.state.catch(() => {
      if (this.#remembered === remembered) this.#remembered = null;
    });
    return remembered.state;
  }

  private async read(): Promise<ReadModelsState> {
    const versions = SERVED_PROJECTIONS.map((projection) => servingVersion(projection));
    const { rows } = await this.pool.query<CheckpointRow>(
      `SELECT projection, partition, position, watermark FROM checkpoints
        WHERE (projection, version) IN (SELECT * FROM unnest($1::text[], $2::int[]))
        ORDER BY projection, partition`,
      [SERVED_PROJECTIONS, versions],
    );
    const states = SERVED_PROJECTIONS.map((projection, index): [ServedProjection, ProjectionState] => [
      projection,
      {
        label: `${projection}@${versions[index]}`,
        table: `${projection}_v${versions[index]}`,
        watermark: earliestWatermark(rows.filter((row) => row.projection === projection)),
      },
    ]);
    return {
      projections: Object.fromEntries(states) as Record<ServedProjection, ProjectionState>,
      fingerprint: JSON.stringify([
        versions,
        rows.map((row) => [row.projection, row.partition, row.position]),
      ]),
    };
  }
}

function earliestWatermark(rows: readonly CheckpointRow[]): Date | null {
  let earliest: Date | null = null;
  for (const { watermark } of rows) {
    if (watermark === null) return null;
    if (earliest === null || watermark < earliest) earliest = watermark;
  }
  return earliest;
}
