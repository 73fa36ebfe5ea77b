// Removes what nobody can fetch any more: results by the hour, documents a week after their results. Every
// api node does; what another has removed is not there any more.
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Pool } from 'pg';
import { JobsTelemetry } from './jobs.telemetry.js';
import { ResultStore } from './result-store.js';

const REAP_INTERVAL_MS = 60_000;
const DOCUMENT_RETENTION_DAYS = 7;

@Injectable()
export class JobReaper implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #reaping: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly results: ResultStore,
    private readonly telemetry: JobsTelemetry,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#reaping = this.reap().catch((error: unknown) => this.telemetry.unreachable(error));
    }, REAP_INTERVAL_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reaping;
  }

  async reap(): Promise<void> {
    await this.pool.query(`DELETE FROM jobs WHERE expires_at < now() - $1 * interval '1 day'`, [
      DOCUMENT_RETENTION_DAYS,
    ]);
    this.telemetry.dropped(await this.results.dropExpired());
  }
}
