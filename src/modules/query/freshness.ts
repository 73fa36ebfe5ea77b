// How complete the read models are that answer. Read before the rows of an answer, so that an answer
// holds at least what its watermark promises.
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { type ServedProjection, Serving } from '../projections/read-models/serving.js';
import { remembered } from './remembered.js';

const SERVED_PROJECTIONS: readonly ServedProjection[] = ['sessions', 'traffic'];

export interface ProjectionState {
  /** Such as `traffic@1`. */
  readonly label: string;
  readonly table: string;
  /** Everything received up to here is in the rows; null while a partition has no watermark yet. */
  readonly watermark: Date | null;
}

export interface ReadModelsState {
  readonly version: number;
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

interface Remembered {
  readonly state: Promise<ReadModelsState>;
  readonly until: number;
  /** Once it is there. */
  known?: ReadModelsState;
}

const REMEMBERED_MS = 250;

@Injectable()
export class Freshness {
  /** By version. */
  readonly #remembered = new Map<number, Remembered>();

  constructor(
    private readonly pool: Pool,
    @Inject(Serving) private readonly serving: Pick<Serving, 'versionFor' | 'versions'>,
  ) {}

  /** Of what answers for the site; at most 250 ms old. */
  of(site: string): Promise<ReadModelsState> {
    return this.#ofVersion(this.serving.versionFor(site));
  }

  /** The same, if nobody has to be asked. */
  known(site: string): ReadModelsState | undefined {
    const remembered = this.#remembered.get(this.serving.versionFor(site));
    return remembered !== undefined && performance.now() < remembered.until ? remembered.known : undefined;
  }

  /** Of all that answers for some site. */
  ofAll(): Promise<readonly ReadModelsState[]> {
    return Promise.all(this.serving.versions.map((version) => this.#ofVersion(version)));
  }

  #ofVersion(version: number): Promise<ReadModelsState> {
    const now = performance.now();
    const known = this.#remembered.get(version);
    if (known !== undefined && now < known.until) return known.state;
    const remembered: Remembered = { state: this.#read(version), until: now + REMEMBERED_MS };
    this.#remembered.set(version, remembered);
    remembered.state.then(
      (state) => (remembered.known = state),
      () => {
        if (this.#remembered.get(version) === remembered) this.#remembered.delete(version);
      },
    );
    return remembered.state;
  }

  async #read(version: number): Promise<ReadModelsState> {
    const { rows } = await this.pool.query<CheckpointRow>(
      `SELECT projection, partition, position, watermark FROM checkpoints
        WHERE projection = ANY($1) AND version = $2
        ORDER BY projection, partition`,
      [SERVED_PROJECTIONS, version],
    );
    const states = SERVED_PROJECTIONS.map((projection): [ServedProjection, ProjectionState] => [
      projection,
      {
        label: `${projection}@${version}`,
        table: `${projection}_v${version}`,
        watermark: earliestWatermark(rows.filter((row) => row.projection === projection)),
      },
    ]);
    return {
      version,
      projections: Object.fromEntries(states) as Record<ServedProjection, ProjectionState>,
      fingerprint: JSON.stringify([
        version,
        rows.map((row) => [row.projection, row.partition, row.position]),
      ]),
    };
  }
}

export interface FreshnessMeta {
  /** Everything received up to here is in the numbers; null before the first event. */
  readonly watermark: string | null;
  readonly lag_ms: number | null;
  /** Such as `traffic@1`. */
  readonly projection: string;
}

/** What an answer from this projection says about how fresh it is. */
/** The same as JSON, which every answer says anew. */
export function freshnessTextOf(state: ProjectionState): string {
  const { watermark } = state;
  if (watermark === null) return JSON.stringify(freshnessMetaOf(state));
  const [before, after] = aroundLag(state);
  return `${before}${Math.max(0, Date.now() - watermark.getTime())}${after}`;
}

const aroundLag = remembered((state: ProjectionState): readonly string[] => {
  const mark = '"lag_ms":';
  const [before, after] = JSON.stringify({ ...freshnessMetaOf(state), lag_ms: 0 }).split(`${mark}0`);
  return [`${before}${mark}`, after!];
});

export function freshnessMetaOf({ label, watermark }: ProjectionState): FreshnessMeta {
  return {
    watermark: watermark?.toISOString() ?? null,
    lag_ms: watermark === null ? null : Math.max(0, Date.now() - watermark.getTime()),
    projection: label,
  };
}

function earliestWatermark(rows: readonly CheckpointRow[]): Date | null {
  let earliest: Date | null = null;
  for (const { watermark } of rows) {
    if (watermark === null) return null;
    if (earliest === null || watermark < earliest) earliest = watermark;
  }
  return earliest;
}
