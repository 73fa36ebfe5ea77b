// Erases the rows of one site or merchant, for whoever holds its lease. A pass goes through all tables; done is a pass
// that found nothing from the beginning, made while no rebuild could still be writing what it read before. So
// whatever was killed, or written meanwhile, the next pass finds it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { EventStore, type NewEvent } from '../../../event-store/event-store.js';
import { DeletionTelemetry } from './deletion.telemetry.js';
import { Erasures } from './erasures.js';
import { eraseSome, type Lease, type OwnedTable, type Owner, tablesOf } from './owned-rows.js';

/** What erases, in the audit trail. */
export const ERASER = 'deletion';

export interface Erasing {
  readonly owner: Owner;
  /** Where it is said that all is erased, and by which event. */
  readonly stream: string;
  finished(rows: number): NewEvent;
}

@Injectable()
export class RowEraser {
  constructor(
    private readonly pool: Pool,
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly erasures: Erasures,
    private readonly telemetry: DeletionTelemetry,
  ) {}

  /** Passes until one finds nothing. */
  async erase(lease: Lease, erasing: Erasing, signal: AbortSignal): Promise<void> {
    for (let held: Lease | undefined = lease; held !== undefined && !signal.aborted;) {
      if ((await this.#pass(held, erasing, signal)) === 'over') return;
      held = await this.erasures.take(lease.subject);
    }
  }

  async #pass(
    lease: Lease,
    { owner, stream, finished }: Erasing,
    signal: AbortSignal,
  ): Promise<'found' | 'over'> {
    // Asked first: one that began later was told which sites to leave out.
    const mayFinish = !(await this.#isRebuilding());
    let found = 0;
    for (const table of await tablesOf(this.pool, owner)) {
      found += await this.#eraseTable({ table, owner }, lease, signal);
    }
    if (signal.aborted) return 'over';
    const rows = await this.erasures.passed(lease);
    if (found > 0) return 'found';
    if (mayFinish) await this.#finish(lease.subject, stream, finished(rows));
    return 'over';
  }

  async #eraseTable(of: OwnedTable, lease: Lease, signal: AbortSignal): Promise<number> {
    let erased = 0;
    for (;;) {
      if (signal.aborted) return erased;
      const startedAt = performance.now();
      const rows = await eraseSome(this.pool, of, lease);
      if (rows === 0) return erased;
      erased += rows;
      this.telemetry.erased(rows);
      // Half of the time belongs to others.
      await sleep(performance.now() - startedAt, undefined, { signal }).catch(() => undefined);
    }
  }

  /** What it has sorted may hold events of the site. */
  async #isRebuilding(): Promise<boolean> {
    const { rows } = await this.pool.query(
      `SELECT FROM rebuild_partitions WHERE phase <> 'following' LIMIT 1`,
    );
    return rows.length > 0;
  }

  async #finish(subject: string, stream: string, event: NewEvent): Promise<void> {
    let revision = -1;
    for await (const before of this.eventStore.readStream(stream)) {
      if (before.type === event.type) return this.erasures.forget(subject);
      ({ revision } = before);
    }
    // A conflict: another process has said it, or the next pass will.
    const stored = await this.eventStore.append(stream, [{ ...event, metadata: { by: ERASER } }], revision);
    if (stored.outcome === 'stored') await this.erasures.forget(subject);
  }
}
