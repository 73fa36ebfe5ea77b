// Carries out that a merchant was deleted, which one event has said: deletes each of its sites, revokes each of its
// keys and destroys what opens its invitations, one after the other; and erases its rows once the grace is over and
// those of its sites are gone. Every api node looks; a lease makes it one at a time for each merchant. What is to be
// done is what is still there, so that a process may be killed anywhere.
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { EventStore } from '../../../event-store/event-store.js';
import { failpoint } from '../../../telemetry/failpoint.js';
import { RevokeKey } from '../keys/revoke-key.command.js';
import { invitationSubject } from '../merchants/invitations.desk.js';
import { merchantStream } from '../merchants/merchant.aggregate.js';
import type { Sealer } from '../people/sealing.js';
import { DeleteSite } from '../sites/delete-site.command.js';
import type { DeletionTelemetry } from './deletion.telemetry.js';
import type { Deletions } from './deletions.js';
import type { Erasures } from './erasures.js';
import type { Lease } from './owned-rows.js';
import { Rounds } from './rounds.js';
import { ERASER, type RowEraser } from './row-eraser.js';

/** The lease is extended with each. */
const PAGE_SIZE = 100;

const SITES = 'SELECT site AS id FROM control.sites WHERE merchant = $1 AND site > $2 ORDER BY site LIMIT $3';
const KEYS = 'SELECT key AS id FROM control.keys WHERE merchant = $1 AND key > $2 ORDER BY key LIMIT $3';

export interface MerchantRemoverParts {
  readonly pool: Pool;
  readonly eventStore: EventStore;
  readonly commands: CommandBus;
  readonly sealer: Sealer;
  readonly deletions: Deletions;
  readonly erasures: Erasures;
  readonly rows: RowEraser;
  readonly telemetry: DeletionTelemetry;
}

export class MerchantRemover implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new Rounds((signal) => this.#round(signal));

  constructor(private readonly parts: MerchantRemoverParts) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Without waiting for it. */
  begin(): void {
    void this.#rounds.now();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { deletions, telemetry } = this.parts;
    const underWay = await deletions
      .merchantsUnderWay()
      .catch((error: unknown) => telemetry.failed('merchants', error));
    for (const merchant of underWay ?? []) {
      if (signal.aborted) return;
      await this.#remove(merchant, signal).catch((error: unknown) =>
        telemetry.failed(merchant.subject, error),
      );
    }
  }

  async #remove(
    { subject: merchant, isDue }: { readonly subject: string; readonly isDue: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { commands, deletions, erasures, pool, rows } = this.parts;
    const lease = await erasures.take(merchant);
    if (lease === undefined) return;
    const sites = await this.#each({ sql: SITES, lease, signal }, async (site) => {
      await commands.execute(new DeleteSite({ site, expected: 'any', origin: ERASER }));
      failpoint('deletion.site-deleted');
    });
    const keys = await this.#each({ sql: KEYS, lease, signal }, async (key) => {
      await commands.execute(new RevokeKey(key, ERASER));
      await pool.query('DELETE FROM key_uses WHERE key = $1', [key]);
      failpoint('deletion.key-revoked');
    });
    await this.#forgetInvitations(merchant);
    // The tables may not know yet of what was just deleted: the next round finds that nothing is left.
    if (!isDue || sites + keys > 0 || (await deletions.hasSitesToErase(merchant))) {
      return erasures.release(lease);
    }
    const finished = (count: number) => ({ type: 'MerchantErased', data: { merchant, rows: count } });
    await rows.erase(lease, { owner: 'merchant', stream: merchantStream(merchant), finished }, signal);
  }

  /** How many there were. */
  async #each(
    { sql, lease, signal }: { readonly sql: string; readonly lease: Lease; readonly signal: AbortSignal },
    work: (id: string) => Promise<void>,
  ): Promise<number> {
    let count = 0;
    for (let after = ''; ;) {
      const { rows } = await this.parts.pool.query<{ id: string }>(sql, [lease.subject, after, PAGE_SIZE]);
      for (const { id } of rows) {
        if (signal.aborted) return count + 1;
        await work(id);
        count++;
      }
      if (rows.length < PAGE_SIZE) return count;
      after = rows.at(-1)!.id;
      await this.parts.erasures.extend(lease);
    }
  }

  async #forgetInvitations(merchant: string): Promise<void> {
    for await (const { type, data } of this.parts.eventStore.readStream(merchantStream(merchant))) {
      if (type === 'InvitationSent')
        await this.parts.sealer.destroy(invitationSubject(String(data['invitation'])));
    }
  }
}
