// Where the endpoints about quotas ask: what a merchant may send, what it has sent, and what becomes of another quota.
import type { CommandBus } from '@nestjs/cqrs';
import type { EventStore } from '../../../event-store/event-store.js';
import { Problem } from '../../../http/problem.js';
import { load } from '../aggregate.js';
import { entityTag } from '../entity-tag.js';
import type { MerchantDesk } from '../merchants/merchant.desk.js';
import { type Quota, quotaFold, quotaStream } from './quota.aggregate.js';
import type { QuotaDirectory } from './quota.directory.js';
import type { QuotaAnswer } from './quota.dto.js';
import { SetQuota, versionOf } from './set-quota.command.js';
import { monthOf } from './usage-month.js';
import type { UsageTable } from './usage-table.js';
import type { Origin } from '../origin.js';

export interface QuotaFound {
  /** Of the quota's stream, for If-Match. */
  readonly version: number;
  readonly answer: QuotaAnswer;
}

export interface QuotaWish {
  readonly quota: Quota;
  /** What the client says it has seen. */
  readonly expected: number | 'any';
  readonly origin: Origin;
}

export interface QuotaDeskParts {
  readonly eventStore: EventStore;
  readonly commands: CommandBus;
  readonly merchants: MerchantDesk;
  readonly quotas: QuotaDirectory;
  readonly usage: UsageTable;
}

export class QuotaDesk {
  constructor(private readonly parts: QuotaDeskParts) {}

  /** @throws Problem 404 */
  async find(id: string): Promise<QuotaFound> {
    const { id: merchant } = await this.parts.merchants.find(id);
    const { state, revision } = await load(this.parts.eventStore, quotaStream(merchant), quotaFold);
    const month = monthOf(Date.now());
    const warnedPercent = state.warned?.month === month ? state.warned.percent : null;
    const { eventsPerMonth, gracePercent, policy } = this.parts.quotas.holding(state);
    const usedEvents = (await this.parts.usage.totals(month, [merchant])).get(merchant) ?? 0;
    const isDefault = state.quota === undefined;
    return {
      version: versionOf(revision),
      answer: {
        ...{ merchant, eventsPerMonth, gracePercent, policy, isDefault },
        ...{ month, usedEvents, warnedPercent },
      },
    };
  }

  /** @throws Problem 404, 409 */
  async set(id: string, { quota, expected, origin }: QuotaWish): Promise<QuotaFound> {
    const { id: merchant } = await this.parts.merchants.find(id);
    const set = await this.parts.commands.execute(new SetQuota({ merchant, quota, expected, origin }));
    if (set.outcome === 'set') return this.find(merchant);
    throw Problem.changedMeanwhile(
      'The quota has changed since it was read: read it again.',
      entityTag(set.version),
    );
  }
}
