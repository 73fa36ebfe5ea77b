// What was deleted and how far that is, as the control plane's tables say it.
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { cursorOf, cursorRefused, type Page, textOfCursor } from '../page.js';
import { ControlReadModels } from '../read-models/control-read-models.js';
import type { Owner } from './owned-rows.js';

const DAY_MS = 86_400_000;
/** Of a merchant's deletion: whatever was on its way when it came is there by then. */
const SETTLED_AFTER_MS = 3_600_000;
const CURSOR = /^(site|merchant) ([\w-]{1,64})$/;

export interface Deletion {
  readonly kind: Owner;
  readonly subject: string;
  /** Whose the site was, where that is known; of a merchant, itself. */
  readonly merchant: string | null;
  readonly deletedAt: Date;
  readonly eraseAfter: Date;
  /** Null: not yet. */
  readonly erasedAt: Date | null;
  readonly rows: number;
  readonly passes: number;
  /** Of a merchant: sites and keys that are not deleted or revoked yet. */
  readonly left: number;
}

type DeletionRow = Omit<Deletion, 'eraseAfter' | 'rows'> & { readonly rows: string };

const LEFT = `
  CASE deletions.kind WHEN 'merchant' THEN (
    (SELECT count(*) FROM control.sites WHERE sites.merchant = subject) +
    (SELECT count(*) FROM control.keys WHERE keys.merchant = subject))::integer ELSE 0 END`;
const SELECT = `
  SELECT kind, subject, merchant, deleted_at AS "deletedAt", erased_at AS "erasedAt",
         CASE WHEN erased_at IS NULL THEN coalesce(erasures.rows, 0) ELSE deletions.rows END AS rows,
         coalesce(erasures.passes, 0) AS passes, ${LEFT} AS left
  FROM control.deletions LEFT JOIN erasures USING (subject)`;
const PAGE = `${SELECT}
  WHERE kind IN ('site', 'merchant') AND (kind, subject) > ($1, $2) AND ($3::text IS NULL OR merchant = $3)
  ORDER BY kind, subject LIMIT $4`;
const DUE_SITES = `
  SELECT subject FROM control.deletions
  WHERE kind = 'site' AND erased_at IS NULL AND deleted_at <= $1 ORDER BY deleted_at, subject`;
const MERCHANTS_UNDER_WAY = `
  SELECT subject, deleted_at <= $1 AS "isDue" FROM control.deletions
  WHERE kind = 'merchant' AND erased_at IS NULL AND (deleted_at <= $1 OR deleted_at > $2 OR ${LEFT} > 0)
  ORDER BY deleted_at, subject`;
const HAS_SITES = `
  SELECT FROM control.deletions WHERE kind = 'site' AND merchant = $1 AND erased_at IS NULL LIMIT 1`;

export interface DeletionsWanted {
  readonly limit: number;
  readonly cursor: string | undefined;
  /** Undefined: everybody's. */
  readonly merchant: string | undefined;
}

@Injectable()
export class Deletions {
  constructor(
    private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'DELETION_GRACE_DAYS'>,
    private readonly readModels: ControlReadModels,
  ) {}

  /** Of a deletion that the tables may not know yet. */
  eraseAfter(deletedAt: Date): Date {
    return new Date(deletedAt.getTime() + this.config.DELETION_GRACE_DAYS * DAY_MS);
  }

  /** Sites last. @throws Problem when the cursor is none that was given out. */
  async page({ limit, cursor, merchant }: DeletionsWanted): Promise<Page<Deletion>> {
    const [, kind, subject] = cursor === undefined ? ['', '', ''] : (CURSOR.exec(textOfCursor(cursor)) ?? []);
    if (kind === undefined) throw cursorRefused();
    await this.readModels.settle();
    const { rows } = await this.pool.query<DeletionRow>(PAGE, [kind, subject, merchant ?? null, limit + 1]);
    const items = rows.slice(0, limit).map((row) => this.#deletion(row));
    const last = items.at(-1);
    const hasMore = rows.length > limit && last !== undefined;
    return { items, nextCursor: hasMore ? cursorOf(`${last.kind} ${last.subject}`) : null };
  }

  /** Undefined: the tables do not know yet. */
  async ofMerchant(merchant: string): Promise<Deletion | undefined> {
    await this.readModels.settle();
    const { rows } = await this.pool.query<DeletionRow>(
      `${SELECT} WHERE kind = 'merchant' AND subject = $1`,
      [merchant],
    );
    return rows[0] && this.#deletion(rows[0]);
  }

  /** Whose grace is over, and whose rows are not known to be erased. */
  async dueSites(): Promise<readonly string[]> {
    const { rows } = await this.pool.query<{ subject: string }>(DUE_SITES, [this.#graceEndsFor()]);
    return rows.map(({ subject }) => subject);
  }

  async merchantsUnderWay(): Promise<readonly { readonly subject: string; readonly isDue: boolean }[]> {
    const settled = new Date(Date.now() - SETTLED_AFTER_MS);
    return (await this.pool.query(MERCHANTS_UNDER_WAY, [this.#graceEndsFor(), settled])).rows;
  }

  async hasSitesToErase(merchant: string): Promise<boolean> {
    return (await this.pool.query(HAS_SITES, [merchant])).rows.length > 0;
  }

  #graceEndsFor(): Date {
    return new Date(Date.now() - this.config.DELETION_GRACE_DAYS * DAY_MS);
  }

  #deletion({ rows, ...row }: DeletionRow): Deletion {
    return { ...row, rows: Number(rows), eraseAfter: this.eraseAfter(row.deletedAt) };
  }
}
