// The clients' own account of what they sent and were told, independent of the product: each event has
// a name of its own, so that what the API counts by name can be held against it. In the end everything
// acknowledged is counted once, nothing twice, and nothing that was never sent.
import { setTimeout as sleep } from 'node:timers/promises';

/** `unknown`: sent, perhaps more than once, and never answered. */
type Fate = 'acknowledged' | 'unknown';

interface LedgerEvent {
  readonly site: string;
  readonly id: string;
  readonly name: string;
  readonly visitorId: string;
  readonly occurredAt: number;
  readonly url: string;
}

export interface LedgerOptions {
  readonly url: string;
  readonly operatorKey: string;
  readonly sites: readonly string[];
  /** Chance: see traffic.ts. */
  readonly next: () => number;
}

export interface SiteTotals {
  readonly events: number;
  readonly visitors: number;
}

export interface Differences {
  /** Acknowledged, and not counted. */
  readonly lost: readonly string[];
  readonly countedTwice: readonly string[];
  readonly neverSent: readonly string[];
}

export const NOTHING_WRONG: Differences = { lost: [], countedTwice: [], neverSent: [] };

const REQUEST_EVENTS_MAX = 12;
const VISITORS_PER_SITE = 40;
const PAGE_LIMIT = 10_000;

export class Ledger {
  readonly #fates = new Map<string, Fate>();
  /** What was acknowledged of each. */
  readonly #sites = new Map<string, { readonly events: Set<string>; readonly visitors: Set<string> }>();
  readonly #unanswered: LedgerEvent[][] = [];
  #sequence = 0;

  constructor(private readonly options: LedgerOptions) {}

  get sites(): readonly string[] {
    return this.options.sites;
  }

  get acknowledged(): readonly string[] {
    return [...this.#fates].filter(([, fate]) => fate === 'acknowledged').map(([name]) => name);
  }

  async createSites(): Promise<void> {
    for (const domain of this.options.sites) {
      const { status } = await this.call('/v1/sites', { domain });
      if (status !== 201) throw new Error(`The site ${domain} was answered ${status}`);
    }
  }

  /**
   * One request of new events, or again one that was not acknowledged.
   * @returns why it was not acknowledged, if it was not.
   */
  async send(): Promise<string | undefined> {
    const events = (this.options.next() < 0.5 && this.#unanswered.shift()) || this.#newEvents();
    for (const { name } of events) if (!this.#fates.has(name)) this.#fates.set(name, 'unknown');
    try {
      const response = await this.call('/v1/events', { events });
      const body = await response.text();
      if (response.status !== 202) throw new Error(`${response.status} ${body}`);
      for (const event of events) this.#acknowledge(event);
      return undefined;
    } catch (error) {
      this.#unanswered.push(events);
      const { message, cause } = error as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }

  /** Waits until everything acknowledged is counted, for at most so long. */
  async differences(timeoutMs: number): Promise<Differences> {
    const { acknowledged } = this;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const counts = await this.#allCounted();
      const lost = acknowledged.filter((name) => !counts.has(name));
      if (lost.length > 0 && Date.now() < deadline) {
        await sleep(200);
        continue;
      }
      const countedTwice = [...counts].filter(([, count]) => count > 1).map(([name]) => name);
      const neverSent = [...counts.keys()].filter((name) => !this.#fates.has(name));
      return { lost, countedTwice, neverSent };
    }
  }

  /** Of every site, from what was acknowledged. */
  totals(): Readonly<Record<string, SiteTotals>> {
    const totals = [...this.#sites].map(
      ([site, { events, visitors }]) => [site, { events: events.size, visitors: visitors.size }] as const,
    );
    return Object.fromEntries(totals);
  }

  /** The same, from the API. */
  async totalsCounted(): Promise<Readonly<Record<string, SiteTotals>>> {
    const sites = [...this.#sites.keys()].map(async (site) => {
      const [total] = await this.#query(site, { metrics: ['events', 'visitors'], date_range: 'all' });
      const [events, visitors] = total!.metrics as [number, number];
      return [site, { events, visitors }] as const;
    });
    return Object.fromEntries(await Promise.all(sites));
  }

  call(path: string, body: unknown): Promise<Response> {
    return fetch(`${this.options.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.options.operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  #newEvents(): LedgerEvent[] {
    const { next, sites } = this.options;
    return Array.from({ length: 1 + Math.floor(next() * REQUEST_EVENTS_MAX) }, () => {
      const name = `event-${this.#sequence++}`;
      const site = sites[Math.floor(next() * sites.length)]!;
      const visitorId = `visitor-${Math.floor(next() * VISITORS_PER_SITE)}`;
      // Spread over the last hours, so that late events join and merge sessions.
      const occurredAt = Date.now() - Math.floor(next() ** 3 * 5 * 3_600_000);
      return { site, id: name, name, visitorId, occurredAt, url: `https://${site}/p` };
    });
  }

  #acknowledge({ name, site, visitorId }: LedgerEvent): void {
    this.#fates.set(name, 'acknowledged');
    const { events, visitors } = this.#sites.get(site) ?? { events: new Set(), visitors: new Set() };
    this.#sites.set(site, { events: events.add(name), visitors: visitors.add(visitorId) });
  }

  async #allCounted(): Promise<Map<string, number>> {
    const counts = await Promise.all(this.options.sites.map((site) => this.#counted(site)));
    return new Map(counts.flat());
  }

  async #counted(site: string): Promise<[string, number][]> {
    const counts: [string, number][] = [];
    for (;;) {
      const results = await this.#query(site, {
        metrics: ['events'],
        dimensions: ['event:name'],
        date_range: 'all',
        pagination: { limit: PAGE_LIMIT, offset: counts.length },
      });
      counts.push(
        ...results.map(({ dimensions, metrics }): [string, number] => [dimensions[0]!, metrics[0]!]),
      );
      if (results.length < PAGE_LIMIT) return counts;
    }
  }

  async #query(site: string, query: object): Promise<{ dimensions: string[]; metrics: number[] }[]> {
    const response = await this.call(`/v1/sites/${site}/query`, query);
    if (response.status !== 200) throw new Error(`A query was answered ${response.status}`);
    return ((await response.json()) as { results: { dimensions: string[]; metrics: number[] }[] }).results;
  }
}
