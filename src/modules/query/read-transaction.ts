// One read-only snapshot for all statements of an answer, under the query's time limit. What
// PostgreSQL refuses because of the request becomes a Problem; everything else passes on.
import { DatabaseError, type Pool, type PoolClient } from 'pg';
import { Problem } from '../../http/problem.js';
import { tooCostly } from './cost.js';

const QUERY_CANCELED = '57014';
const UNDEFINED_TABLE = '42P01';
const READ_MODELS_RETRY_SECONDS = 5;

export async function inReadTransaction<T>(
  pool: Pool,
  timeoutMs: number,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    // Just-in-time compilation costs more than it saves on statements of this size.
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL statement_timeout = ${Math.floor(timeoutMs)};
      SET LOCAL jit = off`);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    broken = await rollBack(client);
    throw problemFor(error);
  } finally {
    client.release(broken);
  }
}

async function rollBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function problemFor(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  if (error.code === QUERY_CANCELED) {
    return tooCostly(
      'date_range',
      'The query ran longer than allowed: narrow the date range, add a filter, or group by fewer dimensions.',
    );
  }
  if (error.code === UNDEFINED_TABLE) {
    return Problem.unavailable('The read models are not there yet. Try again.', READ_MODELS_RETRY_SECONDS);
  }
  return error;
}
