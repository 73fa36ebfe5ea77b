// Removes what retired versions and rebuilds leave behind: tables, checkpoints, progress, files.
// Every projector does; what another has removed is not there any more.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { AS_OWNER } from '../../../postgres/database-roles.js';
import { ProjectionsTelemetry } from '../projections.telemetry.js';
import { REBUILD_DIRECTORY, versionOfFile } from '../rebuild/bucket-file.js';
import { ReadModelsDirectory } from './read-models.directory.js';

/** By then whoever fed the version has heard of its end. */
const GRACE_MS = 5_000;

@Injectable()
export class VersionReaper implements OnModuleInit, OnModuleDestroy {
  readonly #reaped = new Set<number>();
  #unfollow: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'DATA_DIR'>,
    private readonly pool: Pool,
    private readonly directory: ReadModelsDirectory,
    private readonly telemetry: ProjectionsTelemetry,
  ) {}

  onModuleInit(): void {
    this.#unfollow = this.directory.onChange(() => this.#soon());
    this.#soon();
  }

  onModuleDestroy(): void {
    this.#unfollow?.();
    clearTimeout(this.#timer);
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#reap(), GRACE_MS).unref();
  }

  async #reap(): Promise<void> {
    await this.#removeFiles();
    for (const { version, state } of this.directory.state.versions.values()) {
      if (state !== 'retired' || this.#reaped.has(version)) continue;
      try {
        await removeVersion(this.pool, version);
        this.#reaped.add(version);
        this.telemetry.versionRemoved(version);
      } catch (error) {
        this.telemetry.versionNotRemoved(version, error);
        return this.#soon();
      }
    }
  }

  /** Those of a rebuild that may go on are needed. */
  async #removeFiles(): Promise<void> {
    const directory = join(this.config.DATA_DIR, REBUILD_DIRECTORY);
    const names = await readdir(directory).catch(() => []);
    for (const name of names) {
      const state = this.directory.state.versions.get(versionOfFile(name))?.state;
      if (state !== 'building' && state !== 'failed') await rm(join(directory, name), { force: true });
    }
  }
}

/** By the names of the tables: the program may not have the definition any more. */
async function removeVersion(pool: Pool, version: number): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname ~ $1`,
    [`^[a-z_]+_v${version}$`],
  );
  for (const { name } of rows) await pool.query(`${AS_OWNER}; DROP TABLE IF EXISTS ${name}`);
  await pool.query('DELETE FROM rebuild_partitions WHERE version = $1', [version]);
  await pool.query('DELETE FROM rebuild_bounds WHERE version = $1', [version]);
  await pool.query('DELETE FROM clustered_days WHERE version = $1', [version]);
  await pool.query('DELETE FROM checkpoints WHERE version = $1', [version]);
}
