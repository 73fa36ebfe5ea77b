// Erases what is left of deleted sites once their grace is over. Every api node looks; a lease makes it one at a
// time for each site. A pass goes through all tables until it finds nothing more; a site is done with a pass that
// found nothing from the beginning, made while no rebuild could still be writing what it read before. So whatever
// was killed, or written meanwhile, the next pass finds it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { Config } from '../../../config/config.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { SiteEvent } from '../../../events/site.events.js';
import type { KeyDirectory } from '../directories/key.directory.js';
import { RevokeKey } from '../keys/revoke-key.command.js';
import { bySystem } from '../origin.js';
import { siteStream } from '../sites/site.aggregate.js';
import type { DeletedSite, DeletedSites } from './deleted-sites.js';
import type { DeletionTelemetry } from './deletion.telemetry.js';
import type { Erasures } from './erasures.js';
import { eraseSome, type Lease, tablesWithSites } from './site-rows.js';

const ROUND_INTERVAL_MS = 60_000;
const DAY_MS = 86_400_000;
/** What erases, in the audit trail. */
export const ERASER = bySystem('deletion');

export interface EraserParts {
  readonly config: Pick<Config, 'DELETION_GRACE_DAYS'>;
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly deleted: DeletedSites;
  readonly erasures: Erasures;
  readonly keys: Pick<KeyDirectory, 'listOfSite'>;
  readonly commands: CommandBus;
  readonly telemetry: DeletionTelemetry;
}

export class Eraser implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(private readonly parts: EraserParts) {}

  onApplicationBootstrap(): void {
    this.parts.telemetry.watch(() => this.due().length);
    this.#timer = setInterval(() => void this.round(), ROUND_INTERVAL_MS).unref();
    void this.round();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#round;
  }

  eraseAfter({ deletedAt }: DeletedSite): Date {
    return new Date(deletedAt.getTime() + this.parts.config.DELETION_GRACE_DAYS * DAY_MS);
  }

  due(): readonly DeletedSite[] {
    const now = Date.now();
    return this.parts.deleted
      .list()
      .filter((site) => site.erased === null && this.eraseAfter(site).getTime() <= now);
  }

  /** Passes for each site that is due, until one finds nothing; one at a time in this process. Never throws. */
  round(): Promise<void> {
    this.#round ??= this.#passes().finally(() => (this.#round = undefined));
    return this.#round;
  }

  async #passes(): Promise<void> {
    for (const { site } of this.due()) {
      if (this.#stopping.signal.aborted) return;
      try {
        while ((await this.#pass(site)) === 'found');
      } catch (error) {
        this.parts.telemetry.failed(site, error);
      }
    }
  }

  async #pass(site: string): Promise<'found' | 'over'> {
    const lease = await this.parts.erasures.take(site);
    if (lease === undefined) return 'over';
    await this.#revokeKeys(site);
    // Asked first: one that began later was told which sites to leave out.
    const mayFinish = !(await this.#isRebuilding());
    let found = 0;
    for (const table of await tablesWithSites(this.parts.pool)) found += await this.#eraseTable(table, lease);
    if (this.#stopping.signal.aborted) return 'over';
    const rows = await this.parts.erasures.passed(lease);
    if (found > 0) return 'found';
    if (mayFinish) await this.#finish(site, rows);
    return 'over';
  }

  /** They would be refused anyhow; but they are still listed, by their names. */
  async #revokeKeys(site: string): Promise<void> {
    for (const { id } of this.parts.keys.listOfSite(site)) {
      await this.parts.commands.execute(new RevokeKey(id, ERASER));
      await this.parts.pool.query('DELETE FROM key_uses WHERE key = $1', [id]);
    }
  }

  async #eraseTable(table: string, lease: Lease): Promise<number> {
    let erased = 0;
    for (;;) {
      if (this.#stopping.signal.aborted) return erased;
      const startedAt = performance.now();
      const rows = await eraseSome(this.parts.pool, table, lease);
      if (rows === 0) return erased;
      erased += rows;
      this.parts.telemetry.erased(rows);
      // Half of the time belongs to others.
      await sleep(performance.now() - startedAt, undefined, { signal: this.#stopping.signal }).catch(
        () => undefined,
      );
    }
  }

  /** What it has sorted may hold events of the site. */
  async #isRebuilding(): Promise<boolean> {
    const { rows } = await this.parts.pool.query(
      `SELECT FROM rebuild_partitions WHERE phase <> 'following' LIMIT 1`,
    );
    return rows.length > 0;
  }

  async #finish(site: string, rows: number): Promise<void> {
    const stream = siteStream(site);
    let revision = -1;
    for await (const event of this.parts.eventStore.readStream(stream)) {
      if (event.type === 'DataErased') return this.parts.erasures.forget([site]);
      ({ revision } = event);
    }
    const event: SiteEvent = { type: 'DataErased', data: { site, rows } };
    // A conflict: another process has said it, or the next pass will.
    const stored = await this.parts.eventStore.append(stream, [{ ...event, metadata: ERASER }], revision);
    if (stored.outcome === 'stored') await this.parts.erasures.forget([site]);
  }
}
