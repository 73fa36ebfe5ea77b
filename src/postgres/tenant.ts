// A transaction that sees the rows of one tenant, whatever its statements say. Role and tenant end with it: a
// connection that goes back to the pool is nobody's.
import type { Pool, PoolClient } from 'pg';
import { escapeLiteral } from 'pg';
import { roleSql } from './database-roles.js';

export interface Tenant {
  /** Id; absent: of none of its sites. */
  readonly site?: string;
  /** Id; what is the merchant's, or may be counted for all of its sites. */
  readonly merchant?: string;
}

/** To be sent with the statement that opens the transaction, so that it costs no round trip. */
export const asTenantSql = ({ site = '', merchant = '' }: Tenant): string =>
  `SELECT set_config('role', ${roleSql('tenant')}, true), set_config('tidemark.site', ${escapeLiteral(site)}, true),
    set_config('tidemark.merchant', ${escapeLiteral(merchant)}, true)`;

export async function inTenantTransaction<T>(
  pool: Pool,
  tenant: Tenant,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(`BEGIN; ${asTenantSql(tenant)}`);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    broken = await rollBack(client);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** What keeps the connection from being used again, if anything does. */
export async function rollBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
