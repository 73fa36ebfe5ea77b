// How many events of each site this process has appended, or not taken beyond a quota, and not yet written down. In memory: whoever kills the
// process loses what was appended since the last flush, UsageMeter's interval at most.
import { Calendar, type Month } from './usage-month.js';

/** Events that were appended, of one site in one month, and those that were not. */
export interface SiteUsage {
  readonly merchant: string;
  readonly site: string;
  readonly month: Month;
  readonly events: number;
  /** Of these, that no answer shows: since when, in epoch milliseconds, and how many. 0: none. */
  readonly hiddenFrom: number;
  readonly hiddenEvents: number;
  /** Beyond these: not taken, because only a share of the visitors is. */
  readonly droppedEvents: number;
}

interface Counted {
  readonly merchant: string;
  events: number;
  hiddenFrom: number;
  hiddenEvents: number;
  droppedEvents: number;
}

export const NO_EVENTS = { events: 0, hiddenFrom: 0, hiddenEvents: 0, droppedEvents: 0 };

export class UsageTally {
  readonly #calendar = new Calendar();
  #months = new Map<Month, Map<string, Counted>>();

  /** @param receivedAt epoch ms; of a month that is over, too: what was received at its end is durable later. */
  count(used: Omit<SiteUsage, 'month'>, receivedAt: number): void {
    const { merchant, site } = used;
    const month = this.#calendar.monthOf(receivedAt);
    let sites = this.#months.get(month);
    if (sites === undefined) this.#months.set(month, (sites = new Map()));
    let counted = sites.get(site);
    if (counted === undefined) sites.set(site, (counted = { merchant, ...NO_EVENTS }));
    counted.events += used.events;
    counted.droppedEvents += used.droppedEvents;
    // Of another time over the quota: the later one counts, as in the table.
    if (used.hiddenFrom > counted.hiddenFrom) counted.hiddenEvents = 0;
    if (used.hiddenFrom >= counted.hiddenFrom) counted.hiddenEvents += used.hiddenEvents;
    counted.hiddenFrom = Math.max(counted.hiddenFrom, used.hiddenFrom);
  }

  /** All that was counted since it was last taken. In one order everywhere, so that writers cannot wait in a circle. */
  take(): readonly SiteUsage[] {
    const taken = [...this.#months].flatMap(([month, sites]) =>
      [...sites].map(([site, counted]) => ({ ...counted, site, month })),
    );
    this.#months = new Map();
    return taken.sort((a, b) => (a.site < b.site ? -1 : Number(a.site > b.site)));
  }
}
