// Where the endpoint about usage asks: what each of a merchant's sites has sent in a month.
import { Injectable } from '@nestjs/common';
import { SiteDirectory } from '../directories/site.directory.js';
import { MerchantDesk } from '../merchants/merchant.desk.js';
import { cursorOf, textOfCursor } from '../page.js';
import { ExcessAnswer, hiddenFromOf } from './excess-answer.js';
import { QuotaDirectory } from './quota.directory.js';
import type { UsageAnswer } from './quota.dto.js';
import { monthOf } from './usage-month.js';
import { UsageTable } from './usage-table.js';

export interface UsagePage {
  readonly month: string | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
}

@Injectable()
export class UsageDesk {
  constructor(
    private readonly merchants: MerchantDesk,
    private readonly usage: UsageTable,
    private readonly sites: SiteDirectory,
    private readonly quotas: QuotaDirectory,
  ) {}

  /** @throws Problem 400, 404 */
  async used(id: string, { month = monthOf(Date.now()), limit, cursor }: UsagePage): Promise<UsageAnswer> {
    const { id: merchant } = await this.merchants.find(id);
    const after = cursor === undefined ? '' : textOfCursor(cursor);
    const excesses = this.quotas.excessesOf(merchant).filter((one) => one.month === month);
    const of = { merchant, month, hiddenFrom: hiddenFromOf(excesses) };
    // One more than asked for tells whether there is a next page.
    const found = await this.usage.sites({ ...of, after, limit: limit + 1 });
    const shown = found.slice(0, limit);
    return {
      ...{ merchant, month, ...(await this.usage.total(of)) },
      policy: this.quotas.of(merchant).policy,
      excesses: excesses.map(ExcessAnswer.of),
      sites: shown.map(({ site, ...used }) => ({
        ...{ site, domain: this.sites.find(site)?.domain ?? null, ...used },
      })),
      next_cursor: found.length > limit ? cursorOf(shown.at(-1)!.site) : null,
    };
  }
}
