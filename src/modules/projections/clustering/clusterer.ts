// Clusters the days of a version that are over, one by one, newest first, working a quarter of the time.
// Nothing depends on it but speed. It belongs to whoever projects the partition below into that version,
// so that one process does it, and another takes over as it takes over the partition.
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { sessions } from '../catalog/sessions.projection.js';
import { tableOf } from '../projection.js';
import { monthsOf, monthTableOf } from '../read-model-tables.js';
import { clusterDay, type ClusterOutcome } from './cluster-day.js';
import { clusteredDays, orderedUntil } from './clustered-days.js';
import { ClusteringTelemetry } from './clustering.telemetry.js';
import { daysToCluster } from './days-to-cluster.js';

export const CLUSTERING_PARTITION = 0;
/** Of one move: a tenth of a second or two, for which the projector of a partition may have to wait. */
export const CLUSTERING_ROWS_MAX = 5_000;
const FIRST_ROUND_AFTER_MS = 10_000;
const ROUND_MS = 60_000;
const REST_PER_WORK = 3;

@Injectable()
export class Clusterer {
  constructor(
    private readonly pool: Pool,
    private readonly telemetry: ClusteringTelemetry,
  ) {}

  /** Until the signal; never throws. */
  async follow(version: number, signal: AbortSignal): Promise<void> {
    await rest(FIRST_ROUND_AFTER_MS, signal);
    while (!signal.aborted) {
      try {
        await this.round(version, signal);
      } catch (error) {
        if (!signal.aborted) this.telemetry.failed(version, error);
      }
      await rest(ROUND_MS, signal);
    }
    this.telemetry.ended(version);
  }

  /** Until no day is due, or another process is at it. */
  async round(version: number, signal: AbortSignal): Promise<void> {
    const table = tableOf({ name: sessions.name, version });
    let outcome: ClusterOutcome = 'clustered';
    while (outcome === 'clustered' && !signal.aborted) {
      const due = await this.#due(version, table);
      this.telemetry.due(version, due.length);
      if (due.length === 0) return;
      const moved = async (rows: number, tookMs: number) => {
        this.telemetry.moved(rows, tookMs);
        await rest(REST_PER_WORK * tookMs, signal);
      };
      const day = due[0]!;
      outcome = await clusterDay(
        this.pool,
        { version, day, table: monthTableOf(table, day), rowsMax: CLUSTERING_ROWS_MAX },
        { signal, moved },
      );
    }
  }

  async #due(version: number, table: string): Promise<readonly number[]> {
    const { pool } = this;
    // Not by the clock: while the projector catches up with the log, days fill that are long over.
    const { rows } = await pool.query<{ watermark: Date | null }>(
      `SELECT CASE WHEN bool_and(watermark IS NOT NULL) THEN min(watermark) END AS watermark
       FROM checkpoints WHERE projection = $1 AND version = $2`,
      [sessions.name, version],
    );
    const { watermark } = rows[0]!;
    if (watermark === null) return [];
    return daysToCluster(
      {
        months: await monthsOf(pool, table),
        clustered: await clusteredDays(pool, version),
        orderedUntil: await orderedUntil(pool, version),
      },
      watermark.getTime(),
    );
  }
}

const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {});
