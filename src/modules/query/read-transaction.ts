// One read-only snapshot for all statements of an answer about a site, under the query's time limit: other
// sites' rows are not there. What PostgreSQL refuses because of the request becomes a Problem; everything
// else passes on.
import { DatabaseError, type Pool, type PoolClient } from 'pg';
import { Problem } from '../../http/problem.js';
import { inReadSnapshot } from '../../postgres/read-snapshot.js';
import { tooCostly } from './request/cost.js';

const QUERY_CANCELED = '57014';
const UNDEFINED_TABLE = '42P01';
const READ_MODELS_RETRY_SECONDS = 5;

export interface ReadOf {
  /** Id. */
  readonly site: string;
  /** Of each statement. */
  readonly timeoutMs: number;
}

export async function inReadTransaction<T>(
  pool: Pool,
  { site, timeoutMs }: ReadOf,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  try {
    return await inReadSnapshot(pool, { timeoutMs, tenant: { site } }, work);
  } catch (error) {
    throw problemFor(error);
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
