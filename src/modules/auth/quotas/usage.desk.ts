// Where the endpoint about usage asks: what each of a merchant's sites has sent in a month.
import type { SiteDirectory } from '../directories/site.directory.js';
import type { MerchantDesk } from '../merchants/merchant.desk.js';
import { cursorOf, textOfCursor } from '../page.js';
import { ExcessAnswer, hiddenFromOf } from './excess-answer.js';
import type { QuotaDirectory } from './quota.directory.js';
import type { UsageAnswer } from './quota.dto.js';
import { monthOf } from './usage-month.js';
import type { UsageTable } from './usage-table.js';

export interface UsagePage {
  readonly month: string | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface UsageDeskParts {
  readonly merchants: MerchantDesk;
  readonly usage: UsageTable;
  readonly sites: SiteDirectory;
  readonly quotas: QuotaDirectory;
}

export class UsageDesk {
  constructor(private readonly parts: UsageDeskParts) {}

  /** @throws Problem 400, 404 */
  async used(id: string, { month = monthOf(Date.now()), limit, cursor }: UsagePage): Promise<UsageAnswer> {
    const { id: merchant } = await this.parts.merchants.find(id);
    const after = cursor === undefined ? '' : textOfCursor(cursor);
    const excesses = this.parts.quotas.excessesOf(merchant).filter((one) => one.month === month);
    const of = { merchant, month, hiddenFrom: hiddenFromOf(excesses) };
    // One more than asked for tells whether there is a next page.
    const found = await this.parts.usage.sites({ ...of, after, limit: limit + 1 });
    const shown = found.slice(0, limit);
    return {
      ...{ merchant, month, ...(await this.parts.usage.total(of)) },
      policy: this.parts.quotas.of(merchant).policy,
      excesses: excesses.map(ExcessAnswer.of),
      sites: shown.map(({ site, ...used }) => ({
        ...{ site, domain: this.parts.sites.find(site)?.domain ?? null, ...used },
      })),
      next_cursor: found.length > limit ? cursorOf(shown.at(-1)!.site) : null,
    };
  }
}
