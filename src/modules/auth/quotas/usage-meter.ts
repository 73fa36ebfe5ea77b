// Counts what intake appends, by site and month, and writes it down every two seconds; then reads what all nodes have
// written of the merchants that have a quota, for QuotaGate, and warns them. A process that is killed forgets what it
// appended since the last flush; a flush whose answer is lost is sent again and counts once (usage-table.ts).
import { randomUUID } from 'node:crypto';
import type { Excess } from './excess.js';
import { type Moments, QuotaGate } from './quota-gate.js';
import type { QuotaWarnings } from './quota-warnings.js';
import type { QuotaDirectory } from './quota.directory.js';
import type { Flush, UsageTable } from './usage-table.js';
import { NO_EVENTS, type SiteUsage, UsageTally } from './usage-tally.js';

const FLUSH_INTERVAL_MS = 2_000;

export interface UsageMeterDeps {
  readonly table: UsageTable;
  readonly quotas: QuotaDirectory;
  readonly warnings: QuotaWarnings;
  readonly onFailure: (error: unknown) => void;
}

export class UsageMeter {
  readonly #node = randomUUID();
  readonly #tally = new UsageTally();
  readonly #gate: QuotaGate;
  #flushes = 0;
  /** Sent, and not known to have arrived. */
  #sent: Flush | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(private readonly deps: UsageMeterDeps) {
    this.#gate = new QuotaGate({ quotas: deps.quotas, onNewcomer: () => this.#flushSoon() });
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
    this.deps.table.forgetOldFlushes().catch(this.deps.onFailure);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearImmediate(this.#soon);
    await this.flush();
  }

  /** Until the merchant may send again; 0: it may. */
  waitSeconds(merchant: string, nowMs: number): number {
    return this.#gate.waitSeconds(merchant, nowMs);
  }

  /** What holds for an event that occurred then; undefined: it is taken and shown. */
  excessFor(merchant: string, moments: Moments): Excess | undefined {
    return this.#gate.excessFor(merchant, moments);
  }

  /** This event was not taken, because only a share of the visitors is. */
  dropped({ merchant, site }: Pick<SiteUsage, 'merchant' | 'site'>, receivedAt: number): void {
    this.#tally.count({ ...NO_EVENTS, merchant, site, droppedEvents: 1 }, receivedAt);
  }

  /** These events are durable. */
  appended(usage: Omit<SiteUsage, 'month'>, receivedAt: number): void {
    this.#tally.count(usage, receivedAt);
    this.#gate.appended(usage, receivedAt);
  }

  /** Writes what was counted, and reads what others wrote. What cannot be written now is kept for the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#exchange()).catch(this.deps.onFailure);
    return this.#flushing;
  }

  async #exchange(): Promise<void> {
    await this.#write();
    // What came while an older flush was sent again.
    await this.#write();
    const { month, merchants } = this.#gate.asking();
    if (merchants.length === 0) return;
    const known = await this.deps.table.totals(month, merchants);
    const usages = this.#gate.read(month, new Map(merchants.map((one) => [one, known.get(one) ?? 0])));
    for (const usage of usages) await this.deps.warnings.warn(usage);
  }

  async #write(): Promise<void> {
    const flush = this.#sent ?? this.#nextFlush();
    if (flush.usages.length === 0) return;
    this.#sent = flush;
    await this.deps.table.add(flush);
    this.#sent = undefined;
    this.#gate.written(flush.usages);
  }

  #nextFlush(): Flush {
    return { node: this.#node, number: ++this.#flushes, usages: this.#tally.take() };
  }

  #flushSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      void this.flush();
    });
  }
}
