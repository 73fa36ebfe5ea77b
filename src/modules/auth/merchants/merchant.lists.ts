// Merchants, members and invitations a page at a time, from the control plane's tables, as they are once those
// know all that is stored.
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityTarget, type FindManyOptions, MoreThan, type ObjectLiteral } from 'typeorm';
import { asTenantSql } from '../../../postgres/tenant.js';
import { cursorOf, cursorRefused, type Page, textOfCursor } from '../page.js';
import { ControlReadModels } from '../read-models/control-read-models.js';
import { InvitationRow, MemberRow } from '../read-models/merchants.read-model.js';

export interface PageWanted {
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface CountedMerchant {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly members: number;
  readonly sites: number;
}

const ID = /^[\w-]{1,64}$/;

const MERCHANTS = `
  SELECT merchant AS id, name, created_at AS "createdAt",
         (SELECT count(*)::integer FROM control.members WHERE members.merchant = merchants.merchant) AS members,
         (SELECT count(*)::integer FROM control.sites WHERE sites.merchant = merchants.merchant) AS sites
  FROM control.merchants
  WHERE merchant > $1 AND ($2::text IS NULL OR merchant = $2 OR strpos(lower(name), lower($2)) > 0)
  ORDER BY merchant LIMIT $3`;

@Injectable()
export class MerchantLists {
  constructor(
    @Inject(DataSource) private readonly source: DataSource,
    private readonly readModels: ControlReadModels,
  ) {}

  async merchants(
    wanted: PageWanted & { readonly search: string | undefined },
  ): Promise<Page<CountedMerchant>> {
    const { limit, search = null } = wanted;
    await this.readModels.settle();
    const rows = await this.source.query<CountedMerchant[]>(MERCHANTS, [after(wanted), search, limit + 1]);
    return pageOfRows(rows, { limit, nameOf: ({ id }) => id });
  }

  async members(merchant: string, wanted: PageWanted): Promise<Page<MemberRow>> {
    await this.readModels.settle();
    const rows = await this.#rowsOf(merchant, MemberRow, {
      where: { merchant, person: MoreThan(after(wanted)) },
      order: { person: 'ASC' },
      take: wanted.limit + 1,
    });
    return pageOfRows(rows, { ...wanted, nameOf: ({ person }) => person });
  }

  /** Those that can be accepted at `now`. */
  async invitations(
    merchant: string,
    wanted: PageWanted & { readonly now: Date },
  ): Promise<Page<InvitationRow>> {
    await this.readModels.settle();
    const rows = await this.#rowsOf(merchant, InvitationRow, {
      where: { merchant, invitation: MoreThan(after(wanted)), expiresAt: MoreThan(wanted.now) },
      order: { invitation: 'ASC' },
      take: wanted.limit + 1,
    });
    return pageOfRows(rows, { ...wanted, nameOf: ({ invitation }) => invitation });
  }

  /** As the merchant, whom PostgreSQL shows no rows of another, whatever is wanted. */
  #rowsOf<Row extends ObjectLiteral>(
    merchant: string,
    entity: EntityTarget<Row>,
    wanted: FindManyOptions<Row>,
  ): Promise<Row[]> {
    return this.source.transaction(async (manager) => {
      await manager.query(asTenantSql({ merchant }));
      return manager.find(entity, wanted);
    });
  }
}

/** @throws Problem when the cursor is none that was given out. */
function after({ cursor }: PageWanted): string {
  if (cursor === undefined) return '';
  const id = textOfCursor(cursor);
  if (!ID.test(id)) throw cursorRefused();
  return id;
}

/** Of rows, one more than asked for, which tells whether there is a next page. */
function pageOfRows<Row>(
  rows: readonly Row[],
  { limit, nameOf }: { readonly limit: number; readonly nameOf: (row: Row) => string },
): Page<Row> {
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? cursorOf(nameOf(items.at(-1)!)) : null };
}
