// Where the endpoints about quotas ask: what a merchant may send, what it has sent, and what becomes of another quota.
import type { CommandBus } from '@nestjs/cqrs';
import type { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { changedMeanwhile } from '../entity-tag.js';
import type { MerchantDesk } from '../merchants/merchant.desk.js';
import { ChangeQuota, type QuotaChange, versionOf } from './change-quota.command.js';
import { ExcessAnswer, hiddenFromOf } from './excess-answer.js';
import { eventsMax, quotaFold, quotaStream } from './quota.aggregate.js';
import type { QuotaDirectory } from './quota.directory.js';
import type { QuotaAnswer } from './quota.dto.js';
import { monthOf } from './usage-month.js';
import type { UsageTable } from './usage-table.js';
import type { Origin } from '../origin.js';

export interface QuotaFound {
  /** Of the quota's stream, for If-Match. */
  readonly version: number;
  readonly answer: QuotaAnswer;
}

export interface QuotaWish {
  readonly change: QuotaChange;
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
    const quota = this.parts.quotas.holding(state);
    const { eventsPerMonth, gracePercent, policy, samplePercent } = quota;
    const excesses = this.parts.quotas.shown(state).filter((one) => one.month === month);
    const used = await this.parts.usage.total({ merchant, month, hiddenFrom: hiddenFromOf(excesses) });
    const { events: usedEvents, hiddenEvents, droppedEvents } = used;
    const isDefault = state.quota === undefined;
    return {
      version: versionOf(revision),
      answer: {
        ...{ merchant, eventsPerMonth, gracePercent, policy, samplePercent, isDefault },
        ...{ month, usedEvents, hiddenEvents, droppedEvents, warnedPercent },
        isOver: usedEvents >= eventsMax(quota),
        excesses: excesses.map(ExcessAnswer.of),
      },
    };
  }

  /** @throws Problem 404, 409 */
  async change(id: string, { change, expected, origin }: QuotaWish): Promise<QuotaFound> {
    const { id: merchant } = await this.parts.merchants.find(id);
    const changed = await this.parts.commands.execute(
      new ChangeQuota({ merchant, change, expected, origin }),
    );
    if (changed.outcome === 'changed') return this.find(merchant);
    throw changedMeanwhile('quota', changed.version);
  }
}
