// Erases the rows of one site or merchant, for whoever holds its lease. A pass goes through all tables; done is a pass
// that found nothing from the beginning, made while no rebuild could still be writing what it read before. So
// whatever was killed, or written meanwhile, the next pass finds it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { EventStore, NewEvent } from '../../../event-store/event-store.js';
import { bySystem } from '../origin.js';
import type { DeletionTelemetry } from './deletion.telemetry.js';
import type { Erasures } from './erasures.js';
import { eraseSome, type Lease, type OwnedTable, type Owner, tablesOf } from './owned-rows.js';

/** What erases, in the audit trail. */
export const ERASER = bySystem('deletion');

export interface Erasing {
  readonly owner: Owner;
  /** Where it is said that all is erased, and by which event. */
  readonly stream: string;
  finished(rows: number): NewEvent;
}

export interface RowEraserParts {
  readonly pool: Pool;
  readonly eventStore: EventStore;
  readonly erasures: Erasures;
  readonly telemetry: DeletionTelemetry;
}

export class RowEraser {
  constructor(private readonly parts: RowEraserParts) {}

  /** Passes until one finds nothing. */
  async erase(lease: Lease, erasing: Erasing, signal: AbortSignal): Promise<void> {
    for (let held: Lease | undefined = lease; held !== undefined && !signal.aborted;) {
      if ((await this.#pass(held, erasing, signal)) === 'over') return;
      held = await this.parts.erasures.take(lease.subject);
    }
  }

  async #pass(
    lease: Lease,
    { owner, stream, ...erasing }: Erasing,
    signal: AbortSignal,
  ): Promise<'found' | 'over'> {
    // Asked first: one that began later was told which sites to leave out.
    const mayFinish = !(await this.#isRebuilding());
    let found = 0;
    for (const table of await tablesOf(this.parts.pool, owner)) {
      found += await this.#eraseTable({ table, owner }, lease, signal);
    }
    if (signal.aborted) return 'over';
    const rows = await this.parts.erasures.passed(lease);
    if (found > 0) return 'found';
    if (mayFinish) await this.#finish(lease.subject, stream, erasing.finished(rows));
    return 'over';
  }

  async #eraseTable(of: OwnedTable, lease: Lease, signal: AbortSignal): Promise<number> {
    let erased = 0;
    for (;;) {
      if (signal.aborted) return erased;
      const startedAt = performance.now();
      const rows = await eraseSome(this.parts.pool, of, lease);
      if (rows === 0) return erased;
      erased += rows;
      this.parts.telemetry.erased(rows);
      // Half of the time belongs to others.
      await sleep(performance.now() - startedAt, undefined, { signal }).catch(() => undefined);
    }
  }

  /** What it has sorted may hold events of the site. */
  async #isRebuilding(): Promise<boolean> {
    const { rows } = await this.parts.pool.query(
      `SELECT FROM rebuild_partitions WHERE phase <> 'following' LIMIT 1`,
    );
    return rows.length > 0;
  }

  async #finish(subject: string, stream: string, event: NewEvent): Promise<void> {
    let revision = -1;
    for await (const before of this.parts.eventStore.readStream(stream)) {
      if (before.type === event.type) return this.parts.erasures.forget(subject);
      ({ revision } = before);
    }
    // A conflict: another process has said it, or the next pass will.
    const stored = await this.parts.eventStore.append(stream, [{ ...event, metadata: ERASER }], revision);
    if (stored.outcome === 'stored') await this.parts.erasures.forget(subject);
  }
}
