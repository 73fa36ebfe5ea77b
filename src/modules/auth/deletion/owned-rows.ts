// The rows of one site or merchant, wherever they are: in every table with a column of that name, also of versions
// that are being built or were replaced, and of tables that a later release adds. Deleted a few at a time, in
// transactions that also count them for whoever holds the lease.
import type { Pool, PoolClient } from 'pg';
import { failpoint } from '../../../telemetry/failpoint.js';
import { rollBack } from '../../../postgres/tenant.js';

/** Of one transaction: a tenth of a second or two, for which a projector may have to wait. */
const ROWS_MAX = 2_000;

/** Whose rows: also the name of the column that says so. */
export type Owner = 'site' | 'merchant';

export interface OwnedTable {
  readonly table: string;
  readonly owner: Owner;
}

/** Another process has gone on with it. */
export class ErasureLostError extends Error {
  override readonly name = 'ErasureLostError';
}

export interface Lease {
  /** Id of the site or merchant. */
  readonly subject: string;
  readonly owner: string;
  /** For which each transaction extends it. */
  readonly leaseMs: number;
}

/**
 * Those that hold rows themselves: neither partitioned ones nor the ways into them. In clustered_days a site is a
 * bookmark, of all sites' rows.
 */
export async function tablesOf(pool: Pool, owner: Owner): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'clustered_days'
        AND EXISTS (SELECT FROM pg_attribute
          WHERE attrelid = pg_class.oid AND attname = $1 AND NOT attisdropped)
      ORDER BY relname`,
    [owner],
  );
  return rows.map(({ name }) => name);
}

/**
 * How many were deleted; 0: there are none left in this table, or it is gone.
 * @throws ErasureLostError
 */
export async function eraseSome(pool: Pool, of: OwnedTable, lease: Lease): Promise<number> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const rows = await deleteSome(client, of, lease.subject);
    await countErased(client, rows, lease);
    failpoint('deletion.before-commit');
    await client.query('COMMIT');
    failpoint('deletion.after-commit');
    return rows;
  } catch (error) {
    broken = await rollBack(client);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** A row that is rewritten meanwhile has another ctid: it is found the next time. */
async function deleteSome(
  client: PoolClient,
  { table, owner }: OwnedTable,
  subject: string,
): Promise<number> {
  const { rows } = await client.query('SELECT WHERE to_regclass($1) IS NOT NULL', [table]);
  if (rows.length === 0) return 0;
  const { rowCount } = await client.query(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${owner} = $1 LIMIT ${ROWS_MAX}))`,
    [subject],
  );
  return rowCount ?? 0;
}

async function countErased(client: PoolClient, rows: number, lease: Lease): Promise<void> {
  const { subject, owner, leaseMs } = lease;
  const { rowCount } = await client.query(
    `UPDATE erasures SET rows = rows + $3, until = now() + $4 * interval '1 millisecond'
      WHERE subject = $1 AND owner = $2`,
    [subject, owner, rows, leaseMs],
  );
  if (rowCount !== 1) throw new ErasureLostError(`Another process erases the rows of ${subject} by now`);
}
