// Every merchant's quota in memory, so that intake asks nobody. Current by following the event store; nothing else
// changes it.
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/config.js';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { Directory } from '../directories/directory.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { type Quota, quotaFold, type QuotaState } from './quota.aggregate.js';

const CHANGES = new Set(['QuotaSet', 'QuotaWarned']);

@Injectable()
export class QuotaDirectory implements Directory {
  readonly name = 'quotas';
  readonly format = 1;
  readonly #states = new Map<string, QuotaState>();
  readonly #default: Quota;

  constructor(
    @Inject(CONFIG)
    config: Pick<Config, 'MERCHANT_EVENTS_PER_MONTH_MAX' | 'MERCHANT_EVENTS_GRACE_PERCENT'>,
    follower: DirectoryFollower,
  ) {
    this.#default = {
      eventsPerMonth: config.MERCHANT_EVENTS_PER_MONTH_MAX ?? null,
      gracePercent: config.MERCHANT_EVENTS_GRACE_PERCENT,
      policy: 'refuse',
    };
    follower.follow(this);
  }

  /** The merchant's own, or the installation's default. */
  of(merchant: string): Quota {
    return this.#states.get(merchant)?.quota ?? this.#default;
  }

  stateOf(merchant: string): QuotaState {
    return this.#states.get(merchant) ?? quotaFold.initial;
  }

  /** What holds where this is the state of the merchant's stream. */
  holding({ quota }: QuotaState): Quota {
    return quota ?? this.#default;
  }

  apply(event: RecordedEvent): void {
    const merchant = event.data.merchant as string;
    if (event.type === 'MerchantDeleted') this.#states.delete(merchant);
    if (!CHANGES.has(event.type)) return;
    this.#states.set(merchant, quotaFold.evolve(this.stateOf(merchant), event));
  }

  *lines(): Iterable<string> {
    for (const entry of this.#states) yield JSON.stringify(entry);
  }

  restore(line: string): void {
    const [merchant, state] = JSON.parse(line) as [string, QuotaState];
    this.#states.set(merchant, state);
  }

  clear(): void {
    this.#states.clear();
  }
}
