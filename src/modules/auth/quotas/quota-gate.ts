// What becomes of a merchant's next event: decided at once, in memory, by what all nodes have written down when this one
// last read it, and what it has appended itself since. So n nodes may let pass what comes to them between two flushes
// beyond quota and grace, and no more. What is hidden or sampled begins for all of them by the event that says so.
import { type Excess, excessDuring } from './excess.js';
import { eventsMax, type Quota, type Usage } from './quota.aggregate.js';
import { Calendar, endOfMonth, type Month } from './usage-month.js';
import type { SiteUsage } from './usage-tally.js';

interface Use {
  /** By all nodes, as last read, and by this one, as written since. */
  storedEvents: number;
  /** By this node, not yet written. */
  pendingEvents: number;
  /** Since it was last read. */
  isAsking: boolean;
}

/** Of an event, epoch milliseconds. */
export interface Moments {
  readonly occurredAt: number;
  readonly receivedAt: number;
}

export interface QuotaGateDeps {
  readonly quotas: {
    of(merchant: string): Quota;
    excessesOf(merchant: string): readonly Excess[];
  };
  /** Called when a merchant comes of whom nothing was read yet. */
  readonly onNewcomer: () => void;
}

export class QuotaGate {
  readonly #calendar = new Calendar();
  #month: Month = '';
  /** Of this month: merchants with a limit who sent something. */
  #uses = new Map<string, Use>();

  constructor(private readonly deps: QuotaGateDeps) {}

  /** Until the merchant may send again; 0: it may. */
  waitSeconds(merchant: string, nowMs: number): number {
    const quota = this.deps.quotas.of(merchant);
    if (quota.eventsPerMonth === null || !this.#isOver(merchant, quota, nowMs)) return 0;
    return quota.policy === 'refuse' ? Math.ceil((endOfMonth(this.#month) - nowMs) / 1000) : 0;
  }

  /** What holds for an event that occurred then, beyond what `waitSeconds` said; undefined: it is taken and shown. */
  excessFor(merchant: string, { occurredAt, receivedAt }: Moments): Excess | undefined {
    const excesses = this.deps.quotas.excessesOf(merchant);
    if (excesses.length === 0) return undefined;
    const quota = this.deps.quotas.of(merchant);
    const sampled = quota.policy === 'sample' ? excessDuring(excesses, occurredAt, 'sample') : undefined;
    if (sampled !== undefined && this.#isOver(merchant, quota, receivedAt)) return sampled;
    return excessDuring(excesses, occurredAt, 'hide');
  }

  appended({ merchant, events }: Pick<SiteUsage, 'merchant' | 'events'>, receivedAt: number): void {
    if (this.#calendar.monthOf(receivedAt) !== this.#month) return;
    const use = this.#uses.get(merchant);
    if (use !== undefined) use.pendingEvents += events;
  }

  /** What this node had counted is in the table now. */
  written(usages: readonly Pick<SiteUsage, 'merchant' | 'month' | 'events'>[]): void {
    for (const { merchant, month, events } of usages) {
      const use = month === this.#month ? this.#uses.get(merchant) : undefined;
      if (use === undefined) continue;
      // It may have got its limit after some of them came.
      use.pendingEvents -= Math.min(use.pendingEvents, events);
      use.storedEvents += events;
    }
  }

  /** Whose totals are wanted: who has sent something since they were last read. */
  asking(): { readonly month: Month; readonly merchants: readonly string[] } {
    const merchants = [...this.#uses].filter(([, { isAsking }]) => isAsking).map(([merchant]) => merchant);
    return { month: this.#month, merchants };
  }

  /** Returns them as they are used from now on. */
  read(month: Month, totals: ReadonlyMap<string, number>): readonly Usage[] {
    if (month !== this.#month) return [];
    return [...totals].map(([merchant, events]) => {
      const use = this.#uses.get(merchant);
      if (use !== undefined) {
        use.storedEvents = events;
        use.isAsking = false;
      }
      return { merchant, month, events };
    });
  }

  #isOver(merchant: string, quota: Quota, nowMs: number): boolean {
    const { storedEvents, pendingEvents } = this.#useOf(merchant, nowMs);
    return storedEvents + pendingEvents >= eventsMax(quota);
  }

  #useOf(merchant: string, nowMs: number): Use {
    const month = this.#calendar.monthOf(nowMs);
    if (month !== this.#month) {
      this.#month = month;
      this.#uses = new Map();
    }
    let use = this.#uses.get(merchant);
    if (use === undefined) {
      use = { storedEvents: 0, pendingEvents: 0, isAsking: true };
      this.#uses.set(merchant, use);
      this.deps.onNewcomer();
    }
    use.isAsking = true;
    return use;
  }
}
