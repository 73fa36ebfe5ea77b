// The import, from bytes to the final account: read → parse → judge → identify → send. Streaming: memory
// does not grow with the input. Guarantee: every line is counted exactly once, as imported, duplicate,
// rejected or skipped for one reason; the sum is checked.
import { isIP } from 'node:net';
import { isbot } from 'isbot';
import { CliFailure } from '../failure.js';
import { BatchSender, type BatchSenderOptions } from './batch-sender.js';
import { EventIds, type IdentitySecrets, VisitorIds } from './identity.js';
import { inflateIfGzipped, type Line, readLines, TOO_LONG } from './line-reader.js';
import {
  judge,
  type LineVerdict,
  type PageView,
  percentEncoded,
  SKIP_REASONS,
  type SkipReason,
} from './page-view.js';
import { OrderInSecond } from './order-in-second.js';
import { parseLogLine } from './parse-line.js';

// The server's limits: it refuses longer URLs and referrers, and cuts user agents.
const URL_CHARACTERS_MAX = 2_048;
const USER_AGENT_CHARACTERS_MAX = 512;

export interface ImportAccount {
  lines: number;
  /** Page views the server has taken; those of an earlier import it drops when it counts. */
  imported: number;
  /** Page views found, of which bots, by user agent: sent and flagged, not lost. */
  bots: number;
  readonly skipped: Record<SkipReason, number>;
  /** Page views the server recognised at once as sent before. */
  duplicates: number;
  /** Page views the server refused, by its reason. */
  rejected: Record<string, number>;
  /** UTC days of the first and the last page view. */
  firstDay: string | null;
  lastDay: string | null;
}

export interface ImportOptions extends BatchSenderOptions {
  readonly site: { readonly id: string; readonly domain: string };
  readonly apiKey: string;
  readonly onLines?: (lines: number) => void;
}

export type ImportOutcome =
  | { readonly outcome: 'complete'; readonly account: ImportAccount }
  | { readonly outcome: 'stopped'; readonly account: ImportAccount; readonly reason: string };

export async function importAccessLog(
  bytes: AsyncIterable<Buffer>,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const run = new ImportRun(options);
  try {
    for await (const lines of readLines(inflateIfGzipped(bytes))) {
      for (const line of lines) await run.take(line);
      options.onLines?.(run.account.lines);
    }
    return { outcome: 'complete', account: await run.finish() };
  } catch (error) {
    const reason = whyStopped(error);
    if (reason === null) throw error;
    return { outcome: 'stopped', account: await run.abandon(), reason };
  }
}

class ImportRun {
  readonly account: ImportAccount;
  private readonly sender: BatchSender;
  private readonly eventIds: EventIds;
  private readonly visitorIds: VisitorIds;
  private readonly order = new OrderInSecond();
  private pageViews = 0;
  private firstAt = Infinity;
  private lastAt = -Infinity;

  constructor(private readonly options: ImportOptions) {
    const secrets: IdentitySecrets = { apiKey: options.apiKey, site: options.site.id };
    this.eventIds = new EventIds(secrets);
    this.visitorIds = new VisitorIds(secrets);
    this.sender = new BatchSender(options);
    this.account = {
      lines: 0,
      imported: 0,
      bots: 0,
      skipped: Object.fromEntries(Object.keys(SKIP_REASONS).map((reason) => [reason, 0])) as Record<
        SkipReason,
        number
      >,
      duplicates: 0,
      rejected: {},
      firstDay: null,
      lastDay: null,
    };
  }

  async take(line: Line): Promise<void> {
    this.account.lines++;
    const verdict = judgeLine(line, this.options.site.domain);
    if (verdict.verdict === 'skipped') {
      this.account.skipped[verdict.reason]++;
      return;
    }
    const { time, userAgent } = verdict.pageView.line;
    this.pageViews++;
    if (isbot(userAgent?.slice(0, USER_AGENT_CHARACTERS_MAX))) this.account.bots++;
    this.firstAt = Math.min(this.firstAt, time);
    this.lastAt = Math.max(this.lastAt, time);
    await this.sender.add(this.eventOf(verdict.pageView, line as Buffer));
  }

  async finish(): Promise<ImportAccount> {
    await this.sender.finish();
    const account = this.settled();
    const accounted = account.imported + account.duplicates + sum(account.rejected) + sum(account.skipped);
    if (accounted !== account.lines) throw new AccountMismatch(accounted, account.lines);
    return account;
  }

  /** What was read before the input failed is delivered still, unless it was the delivery that failed. */
  async abandon(): Promise<ImportAccount> {
    await this.sender.finish().catch(() => {
      // What ended the import is being reported already.
    });
    await this.sender.settle();
    return this.settled();
  }

  private settled(): ImportAccount {
    const seen = this.pageViews > 0;
    return Object.assign(this.account, this.sender.account, {
      firstDay: seen ? utcDay(this.firstAt) : null,
      lastDay: seen ? utcDay(this.lastAt) : null,
    });
  }

  private eventOf({ path, line }: PageView, bytes: Buffer): object {
    const { site } = this.options;
    const visitor = this.visitorIds.of(line);
    return {
      site: site.id,
      id: this.eventIds.next(bytes),
      name: 'pageview',
      url: withinLimit(`https://${site.domain}${path}`),
      referrer: referrerOf(line.referrer),
      occurredAt: this.order.next(visitor.visitorId, line.time),
      userAgent: line.userAgent?.slice(0, USER_AGENT_CHARACTERS_MAX),
      ip: isIP(line.host) ? line.host : undefined,
      ...visitor,
    };
  }
}

export class AccountMismatch extends Error {
  override readonly name = 'AccountMismatch';
  constructor(accounted: number, lines: number) {
    super(`${accounted} lines are accounted for, of ${lines} read`);
  }
}

function judgeLine(line: Line, domain: string): LineVerdict {
  if (line === TOO_LONG) return { verdict: 'skipped', reason: 'too_long' };
  const text = line.toString('latin1');
  if (text.trim() === '') return { verdict: 'skipped', reason: 'empty' };
  const parsed = parseLogLine(text);
  return parsed === null ? { verdict: 'skipped', reason: 'malformed' } : judge(parsed, domain);
}

/** Failures that end an import half-way and that running it again mends; null: a fault of the program. */
function whyStopped(error: unknown): string | null {
  if (error instanceof CliFailure) return error.message;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'Z_BUF_ERROR') return 'The gzip data ends too early: the file is cut off.';
  if (code?.startsWith('Z_')) return `The gzip data is damaged (${(error as Error).message}).`;
  return typeof (error as NodeJS.ErrnoException).syscall === 'string' ? `Cannot read on (${code}).` : null;
}

/** A page view is not lost for a long query, of which next to nothing is kept anyway. */
const withinLimit = (url: string): string =>
  url.length <= URL_CHARACTERS_MAX ? url : (/^[^?]*/.exec(url)?.[0] ?? url);

function referrerOf(bytes: string | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const url = withinLimit(percentEncoded(bytes));
  return url.length <= URL_CHARACTERS_MAX ? url : undefined;
}

const utcDay = (time: number): string => new Date(time).toISOString().slice(0, 10);

export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
