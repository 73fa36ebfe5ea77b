// Says of a rebuild what the projectors find out: that it was begun, and that it has caught up with the
// version that serves. Every projector looks; the event store takes what the first of them says.
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Pool } from 'pg';
import { TrackingLog } from '../../../tracking-log/tracking-log.js';
import { bySystem } from '../../auth/origin.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import {
  controlRebuild,
  failRebuild,
  type Rebuild,
  type RebuildControl,
  rebuildUnderWay,
} from '../lifecycle/read-models.aggregate.js';
import { ReadModelsDirectory } from '../lifecycle/read-models.directory.js';
import { ProjectionsTelemetry } from '../projections.telemetry.js';

const LOOK_INTERVAL_MS = 500;
/** So little behind the end of the log, a version is as good as the one that serves. */
const CAUGHT_UP_LAG_MS = 10_000;
const BY = bySystem('projector');

@Injectable()
export class RebuildSteward implements OnModuleInit, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(
    private readonly pool: Pool,
    private readonly log: TrackingLog,
    private readonly directory: ReadModelsDirectory,
    private readonly lifecycle: Lifecycle,
    private readonly telemetry: ProjectionsTelemetry,
  ) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** It cannot go on by itself. */
  async fail(version: number, error: string): Promise<void> {
    this.telemetry.rebuildFailed(version, error);
    await this.lifecycle.change((state) => {
      const rebuild = rebuildUnderWay(state);
      if (rebuild?.version !== version) return { refused: `No rebuild of version ${version} is under way.` };
      return failRebuild(rebuild, error);
    }, BY);
  }

  async #look(): Promise<void> {
    const rebuild = rebuildUnderWay(this.directory.state);
    if (this.#looking || rebuild === undefined) return;
    this.#looking = true;
    try {
      if (rebuild.state === 'requested') await this.#say('start', rebuild);
      if (rebuild.state === 'running' && (await this.#hasCaughtUp(rebuild)))
        await this.#say('finish', rebuild);
    } catch (error) {
      this.telemetry.rebuildLookFailed(error);
    } finally {
      this.#looking = false;
    }
  }

  async #say(what: RebuildControl, { id }: Rebuild): Promise<void> {
    await this.lifecycle.change((state) => {
      const rebuild = state.rebuilds.get(id);
      return rebuild === undefined
        ? { refused: `There is no rebuild ${id}.` }
        : controlRebuild(state, rebuild, what);
    }, BY);
  }

  async #hasCaughtUp({ version }: Rebuild): Promise<boolean> {
    const { rows } = await this.pool.query<{ partition: number }>(
      `SELECT partition FROM rebuild_partitions JOIN checkpoints USING (version, partition)
       WHERE version = $1 AND phase = 'following'
       GROUP BY partition HAVING min(watermark) > now() - make_interval(secs => $2) AND bool_and(watermark IS NOT NULL)`,
      [version, CAUGHT_UP_LAG_MS / 1_000],
    );
    return rows.length === this.log.partitions;
  }
}
