// Erases what is left of deleted sites once their grace is over. Every api node looks; a lease makes it one at a time
// for each site.
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { KeyDirectory } from '../directories/key.directory.js';
import { RevokeKey } from '../keys/revoke-key.command.js';
import { siteStream } from '../sites/site.aggregate.js';
import type { DeletionTelemetry } from './deletion.telemetry.js';
import type { Deletions } from './deletions.js';
import type { Erasures } from './erasures.js';
import { Rounds } from './rounds.js';
import { ERASER, type RowEraser } from './row-eraser.js';

export interface EraserParts {
  readonly pool: Pool;
  readonly deletions: Deletions;
  readonly erasures: Erasures;
  readonly rows: RowEraser;
  readonly keys: Pick<KeyDirectory, 'listOfSite'>;
  readonly commands: CommandBus;
  readonly telemetry: DeletionTelemetry;
}

export class Eraser implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new Rounds((signal) => this.#round(signal));

  constructor(private readonly parts: EraserParts) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#rounds.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { deletions, telemetry } = this.parts;
    const due = await deletions.dueSites().catch((error: unknown) => telemetry.failed('sites', error));
    let left = due?.length ?? 0;
    for (const site of due ?? []) {
      telemetry.due(left);
      if (signal.aborted) return;
      await this.#erase(site, signal).then(
        () => left--,
        (error: unknown) => telemetry.failed(site, error),
      );
    }
    telemetry.due(left);
  }

  async #erase(site: string, signal: AbortSignal): Promise<void> {
    const lease = await this.parts.erasures.take(site);
    if (lease === undefined) return;
    await this.#revokeKeys(site);
    const finished = (rows: number) => ({ type: 'DataErased', data: { site, rows } });
    await this.parts.rows.erase(lease, { owner: 'site', stream: siteStream(site), finished }, signal);
  }

  /** They would be refused anyhow; but they are still listed, by their names. */
  async #revokeKeys(site: string): Promise<void> {
    for (const { id } of this.parts.keys.listOfSite(site)) {
      await this.parts.commands.execute(new RevokeKey(id, ERASER));
      await this.parts.pool.query('DELETE FROM key_uses WHERE key = $1', [id]);
    }
  }
}
