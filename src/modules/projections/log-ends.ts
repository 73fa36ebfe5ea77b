// Tells how far the log reaches, for those who do not open it: who asks for the lag of a version, and
// the progress of a rebuild.
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { type Partition, TrackingLog } from '../../tracking-log/tracking-log.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';

const INTERVAL_MS = 1_000;

@Injectable()
export class LogEnds {
  constructor(
    @Inject(TrackingLog) private readonly log: Pick<TrackingLog, 'end'>,
    private readonly pool: Pool,
    private readonly telemetry: ProjectionsTelemetry,
  ) {}

  /** Until the signal; never throws. */
  async tell(partition: Partition, signal: AbortSignal): Promise<void> {
    let told: string | null | undefined;
    while (!signal.aborted) {
      try {
        const end = await this.log.end(partition);
        if (end !== told) {
          await this.pool.query(
            `INSERT INTO log_ends (partition, position) VALUES ($1, $2)
             ON CONFLICT (partition) DO UPDATE SET position = excluded.position, updated_at = now()`,
            [partition, end],
          );
          told = end;
        }
      } catch (error) {
        this.telemetry.logEndNotTold(partition, error);
      }
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {});
    }
  }
}
