// One read-only snapshot for several statements, each under a time limit: what they say belongs
// together, whatever is written meanwhile.
import type { Pool, PoolClient } from 'pg';
import { asTenantSql, rollBack, type Tenant } from './tenant.js';

export interface SnapshotOptions {
  /** Of each statement. */
  readonly timeoutMs: number;
  /** Whose rows there are; null: everybody's. */
  readonly tenant: Tenant | null;
}

export async function inReadSnapshot<T>(
  pool: Pool,
  { timeoutMs, tenant }: SnapshotOptions,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    // Just-in-time compilation costs more than it saves on statements of this size. Handing rows from a
    // parallel worker on costs a tenth of what PostgreSQL believes: it would rather sort a million on its own.
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL statement_timeout = ${Math.floor(timeoutMs)};
      SET LOCAL jit = off;
      SET LOCAL parallel_tuple_cost = 0.01;
      ${tenant === null ? '' : asTenantSql(tenant)}`);
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
