// Where the endpoint about usage asks: what each of a merchant's sites has sent in a month.
import { Injectable } from '@nestjs/common';
import { SiteDirectory } from '../directories/site.directory.js';
import { MerchantDesk } from '../merchants/merchant.desk.js';
import { cursorOf, textOfCursor } from '../page.js';
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
  ) {}

  /** @throws Problem 400, 404 */
  async used(id: string, { month = monthOf(Date.now()), limit, cursor }: UsagePage): Promise<UsageAnswer> {
    const { id: merchant } = await this.merchants.find(id);
    const after = cursor === undefined ? '' : textOfCursor(cursor);
    // One more than asked for tells whether there is a next page.
    const found = await this.usage.sites({ merchant, month, after, limit: limit + 1 });
    const shown = found.slice(0, limit);
    const totals = await this.usage.totals(month, [merchant]);
    return {
      ...{ merchant, month, events: totals.get(merchant) ?? 0 },
      sites: shown.map(({ site, events }) => ({
        ...{ site, domain: this.sites.find(site)?.domain ?? null, events },
      })),
      next_cursor: found.length > limit ? cursorOf(shown.at(-1)!.site) : null,
    };
  }
}
