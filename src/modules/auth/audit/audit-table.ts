// control.audit, read a page at a time. A merchant's page is read as that merchant, whom PostgreSQL shows no rows of
// another, whatever is asked. Pages go by time and number of the entry, so that what is added meanwhile neither
// repeats nor hides anything, and each index reads a range of time from either end.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { inTenantTransaction } from '../../../postgres/tenant.js';
import type { AuditRow } from '../read-models/audit.read-model.js';

/** Undefined: any. */
export interface AuditSelection {
  /** As events name them. */
  readonly by?: readonly string[] | undefined;
  readonly kind?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly stream?: string | undefined;
  readonly merchant?: string | undefined;
  readonly site?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface AuditSlice {
  readonly selection: AuditSelection;
  readonly order: 'oldest' | 'newest';
  /** The last entry that was read. */
  readonly after: AuditPlace | undefined;
  readonly limit: number;
}

export type AuditPlace = Pick<AuditRecord, 'at' | 'entry'>;

/** As pg reads it. */
export type AuditRecord = Readonly<Omit<AuditRow, 'entry'>> & { readonly entry: string };

/** For whom: null is the operator. */
export type Reader = { readonly merchant: string } | null;

type Statement = { readonly text: string; readonly values: unknown[] };

/** The first of a key says its prefix; the operator's, made at the first boot, is nobody else's. */
const OF_PREFIX = `
  SELECT coalesce(data ->> 'key', 'operator') AS key FROM control.audit
  WHERE data ? 'prefix' AND data ->> 'prefix' = $1 LIMIT 100`;

const CONDITIONS = {
  by: 'by = ANY($)',
  kind: 'kind = $',
  types: 'type = ANY($)',
  stream: 'stream = $',
  merchant: 'merchant = $',
  site: 'site = $',
  since: 'at >= $',
  until: 'at < $',
} satisfies Record<keyof AuditSelection, string>;

@Injectable()
export class AuditTable {
  constructor(private readonly pool: Pool) {}

  read(slice: AuditSlice, reader: Reader): Promise<readonly AuditRecord[]> {
    return this.#rows<AuditRecord>(statementOf(slice, reader), reader);
  }

  /** Ids of the keys whose text begins so. */
  async keysWithPrefix(prefix: string, reader: Reader): Promise<readonly string[]> {
    const rows = await this.#rows<{ readonly key: string }>({ text: OF_PREFIX, values: [prefix] }, reader);
    return rows.map(({ key }) => key);
  }

  async #rows<Row extends object>(statement: Statement, reader: Reader): Promise<readonly Row[]> {
    if (reader === null) return (await this.pool.query<Row>(statement)).rows;
    return inTenantTransaction(
      this.pool,
      reader,
      async (client) => (await client.query<Row>(statement)).rows,
    );
  }
}

function statementOf({ selection, order, after, limit }: AuditSlice, reader: Reader): Statement {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const where = (condition: string, value: unknown): void => {
    values.push(value);
    conditions.push(condition.replace('$', `$${values.length}`));
  };
  const wanted: AuditSelection = reader === null ? selection : { ...selection, ...reader };
  for (const [field, condition] of Object.entries(CONDITIONS)) {
    const value = wanted[field as keyof AuditSelection];
    if (value !== undefined) where(condition, value);
  }
  // By which key of theirs operators act is not told, and so cannot be asked either.
  if (reader !== null && wanted.by !== undefined) conditions.push(`kind IS DISTINCT FROM 'operator'`);
  if (after !== undefined) {
    values.push(after.at, after.entry);
    const place = `($${values.length - 1}, $${values.length})`;
    conditions.push(`(at, entry) ${order === 'oldest' ? '>' : '<'} ${place}`);
  }
  values.push(limit);
  const direction = order === 'oldest' ? '' : 'DESC';
  return {
    text: `SELECT * FROM control.audit ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
      ORDER BY at ${direction}, entry ${direction} LIMIT $${values.length}`,
    values,
  };
}
