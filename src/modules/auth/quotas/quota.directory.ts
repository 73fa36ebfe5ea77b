// Every merchant's quota in memory, so that intake asks nobody. Current by following the event store; nothing else
// changes it.
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/config.js';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { Directory } from '../directories/directory.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import type { Excess } from './excess.js';
import { eventsMax, type Quota, quotaFold, type QuotaState } from './quota.aggregate.js';

const CHANGES = new Set(['QuotaSet', 'QuotaRemoved', 'QuotaWarned', 'QuotaExceeded', 'QuotaRevealed']);
const NO_EXCESSES: readonly Excess[] = [];

@Injectable()
export class QuotaDirectory implements Directory {
  readonly name = 'quotas';
  readonly format = 2;
  readonly #states = new Map<string, QuotaState>();
  readonly #excesses = new Map<string, readonly Excess[]>();
  readonly #default: Quota;

  constructor(
    @Inject(CONFIG)
    config: Pick<
      Config,
      | 'MERCHANT_EVENTS_PER_MONTH_MAX'
      | 'MERCHANT_EVENTS_GRACE_PERCENT'
      | 'MERCHANT_QUOTA_POLICY'
      | 'MERCHANT_QUOTA_SAMPLE_PERCENT'
    >,
    follower: DirectoryFollower,
  ) {
    this.#default = {
      eventsPerMonth: config.MERCHANT_EVENTS_PER_MONTH_MAX ?? null,
      gracePercent: config.MERCHANT_EVENTS_GRACE_PERCENT,
      policy: config.MERCHANT_QUOTA_POLICY,
      samplePercent: config.MERCHANT_QUOTA_SAMPLE_PERCENT,
    };
    follower.follow(this);
  }

  /** The merchant's own, or the installation's default. */
  of(merchant: string): Quota {
    return this.#states.get(merchant)?.quota ?? this.#default;
  }

  /** The same array while it says the same. Where a default that was raised holds, nothing of what it now allows is hidden. */
  excessesOf(merchant: string): readonly Excess[] {
    return this.#excesses.get(merchant) ?? NO_EXCESSES;
  }

  /** What holds for merchants without a quota of their own. */
  get standard(): Quota {
    return this.#default;
  }

  stateOf(merchant: string): QuotaState {
    return this.#states.get(merchant) ?? quotaFold.initial;
  }

  /** Those that hold where this is the state of the merchant's stream. */
  shown(state: QuotaState): readonly Excess[] {
    const allowed = eventsMax(this.holding(state));
    return state.excesses.filter((one) => one.policy === 'sample' || one.eventsMax >= allowed);
  }

  /** What holds where this is the state of the merchant's stream. */
  holding({ quota }: QuotaState): Quota {
    return quota ?? this.#default;
  }

  apply(event: RecordedEvent): void {
    const merchant = event.data.merchant as string;
    if (event.type === 'MerchantDeleted') {
      this.#states.delete(merchant);
      this.#excesses.delete(merchant);
    }
    if (!CHANGES.has(event.type)) return;
    this.#keep(merchant, quotaFold.evolve(this.stateOf(merchant), event));
  }

  *lines(): Iterable<string> {
    for (const entry of this.#states) yield JSON.stringify(entry);
  }

  restore(line: string): void {
    const [merchant, state] = JSON.parse(line) as [string, QuotaState];
    this.#keep(merchant, state);
  }

  clear(): void {
    this.#states.clear();
    this.#excesses.clear();
  }

  #keep(merchant: string, state: QuotaState): void {
    this.#states.set(merchant, state);
    const excesses = this.shown(state);
    if (excesses.length === 0) this.#excesses.delete(merchant);
    else this.#excesses.set(merchant, excesses);
  }
}
