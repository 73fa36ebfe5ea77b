// How many events of each site this process has appended and not yet written down. In memory: whoever kills the
// process loses what was appended since the last flush, UsageMeter's interval at most.
import { Calendar, type Month } from './usage-month.js';

/** Events that were appended, of one site in one month. */
export interface SiteUsage {
  readonly merchant: string;
  readonly site: string;
  readonly month: Month;
  readonly events: number;
}

interface Counted {
  readonly merchant: string;
  events: number;
}

export class UsageTally {
  readonly #calendar = new Calendar();
  #months = new Map<Month, Map<string, Counted>>();

  /** @param receivedAt epoch ms; of a month that is over, too: what was received at its end is durable later. */
  count({ merchant, site, events }: Omit<SiteUsage, 'month'>, receivedAt: number): void {
    const month = this.#calendar.monthOf(receivedAt);
    let sites = this.#months.get(month);
    if (sites === undefined) this.#months.set(month, (sites = new Map()));
    const counted = sites.get(site);
    if (counted === undefined) sites.set(site, { merchant, events });
    else counted.events += events;
  }

  /** All that was counted since it was last taken. In one order everywhere, so that writers cannot wait in a circle. */
  take(): readonly SiteUsage[] {
    const taken = [...this.#months].flatMap(([month, sites]) =>
      [...sites].map(([site, { merchant, events }]) => ({ merchant, site, month, events })),
    );
    this.#months = new Map();
    return taken.sort((a, b) => (a.site < b.site ? -1 : Number(a.site > b.site)));
  }
}
