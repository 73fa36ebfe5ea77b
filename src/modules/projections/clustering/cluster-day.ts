// Clusters one day of the session facts: rewrites its rows in the order of their key, so that a site's lie
// together, not among everyone else's that came at the same time. By moves of few rows, each a transaction
// that holds the checkpoint of its partition: no projector writes those rows meanwhile, and what it deletes
// afterwards it finds where it is then. A killed process leaves whole moves behind; whoever comes next goes on
// after the last site that is done. Rows stay what they are, to the byte.
import type { Pool, PoolClient } from 'pg';
import { failpoint } from '../../../telemetry/failpoint.js';
import { sessions } from '../catalog/sessions.projection.js';
import { advanceDay, beginDay, claimMove, type ClusteredDay, finishDay } from './clustered-days.js';
import { DAY_MS } from './days-to-cluster.js';
import { type Move, movesOf, type SiteRows, wholeSites } from './moves.js';

/** `taken`: another process is at it. */
export type ClusterOutcome = 'clustered' | 'taken' | 'stopped';

export interface DayToCluster extends ClusteredDay {
  /** The month that holds the day: a lock on all of them would keep the next one from being made. */
  readonly table: string;
  /** Of one move, about. */
  readonly rowsMax: number;
}

export interface ClusterWork {
  readonly signal: AbortSignal;
  /** After each move; the next one waits for it. */
  readonly moved: (rows: number, tookMs: number) => Promise<void>;
}

/** About, of one listing; so many are done again after a crash. */
const MOVES_AT_ONCE = 20;
const HANG_MS_MAX = 5_000;
const LIST_TIMEOUT_MS = 600_000;
const KEY = sessions.primaryKey.join(', ');

/** @throws Error of PostgreSQL; what has been moved by then is not moved again */
export async function clusterDay(
  pool: Pool,
  asked: DayToCluster,
  { signal, moved }: ClusterWork,
): Promise<ClusterOutcome> {
  let { site, moves } = await beginDay(pool, asked);
  for (;;) {
    if (signal.aborted) return 'stopped';
    const listed = await listSites(pool, asked, site);
    if (listed.length === 0) break;
    for (const move of movesOf(listed, asked.day, asked.rowsMax)) {
      if (signal.aborted) return 'stopped';
      const startedMs = performance.now();
      const rows = await moveRows(pool, asked, { move, moves });
      if (rows === 'taken') return 'taken';
      moves++;
      await moved(rows, performance.now() - startedMs);
    }
    site = listed.at(-1)!.site;
    if (!(await advanceDay(pool, asked, { site, moves }))) return 'taken';
  }
  if (moves > 0 && !(await vacuumed(pool, asked, signal))) return 'stopped';
  await finishDay(pool, asked);
  return 'clustered';
}

/** The next sites, with all of their rows. */
function listSites(
  pool: Pool,
  { table, day, rowsMax }: DayToCluster,
  after: string,
): Promise<readonly SiteRows[]> {
  const [from, to] = [new Date(day), new Date(day + DAY_MS)];
  const ofTheDay = `FROM ${table} WHERE started_at >= $1 AND started_at < $2`;
  const counted = 'SELECT site, partition, count(*)::integer AS rows';
  const limit = rowsMax * MOVES_AT_ONCE;
  // Along the key, as far as is wanted: not through the whole month, again and again.
  const settings = `SET LOCAL statement_timeout TO ${LIST_TIMEOUT_MS}; SET LOCAL enable_seqscan TO off;
    SET LOCAL enable_bitmapscan TO off; SET LOCAL max_parallel_workers_per_gather TO 0`;
  return inTransaction(pool, settings, async (client) => {
    const { rows: listed } = await client.query<SiteRows>(
      `${counted} FROM (SELECT site, partition ${ofTheDay} AND site > $3 ORDER BY site LIMIT ${limit}) AS next
       GROUP BY site, partition ORDER BY site, partition`,
      [from, to, after],
    );
    const whole = wholeSites(listed, limit);
    if (whole.length > 0 || listed.length === 0) return whole;
    const { rows: ofOne } = await client.query<SiteRows>(
      `${counted} ${ofTheDay} AND site = $3 GROUP BY site, partition ORDER BY partition`,
      [from, to, listed[0]!.site],
    );
    return ofOne;
  });
}

async function moveRows(
  pool: Pool,
  asked: DayToCluster,
  { move, moves }: { readonly move: Move; readonly moves: number },
): Promise<number | 'taken'> {
  const settings = `SET LOCAL synchronous_commit TO off; SET LOCAL idle_in_transaction_session_timeout TO ${HANG_MS_MAX}`;
  return inTransaction(pool, settings, async (client) => {
    if (!(await claimMove(client, asked, moves))) return 'taken';
    await lockCheckpoint(client, asked.version, move.partition);
    const { rowCount } = await client.query(
      `WITH moved AS (
         DELETE FROM ${asked.table} WHERE site = ANY($1::text[]) AND started_at >= $2 AND started_at < $3 AND partition = $4
         RETURNING *
       ) INSERT INTO ${asked.table} SELECT * FROM moved ORDER BY ${KEY}`,
      [move.sites, new Date(move.from), new Date(move.to), move.partition],
    );
    failpoint('clustering.before-commit');
    return rowCount!;
  });
}

/** Whoever wants to write rows of the partition moves its checkpoint first, and waits. */
async function lockCheckpoint(client: PoolClient, version: number, partition: number): Promise<void> {
  const { rowCount } = await client.query(
    'SELECT FROM checkpoints WHERE projection = $1 AND version = $2 AND partition = $3 FOR UPDATE',
    [sessions.name, version, partition],
  );
  if (rowCount !== 1)
    throw new Error(`Partition ${partition} of version ${version} has rows and no checkpoint`);
}

/**
 * Until then the indexes lead to where the rows were, too, and nobody may write there: autovacuum would come
 * only when a fifth of the month has changed. False after the signal.
 */
async function vacuumed(pool: Pool, { table }: DayToCluster, signal: AbortSignal): Promise<boolean> {
  const client = await pool.connect();
  let pid: number | undefined;
  /** With its settings; once. */
  let end = (): void => {
    end = () => undefined;
    client.release(true);
  };
  const abandon = () => {
    // What nobody waits for any more, PostgreSQL would go on with.
    if (pid !== undefined) pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => {});
    end();
  };
  signal.addEventListener('abort', abandon, { once: true });
  try {
    // As gently as autovacuum. Giving pages back would lock the table, and the next day needs them.
    await client.query(`SET statement_timeout TO 0; SET vacuum_cost_delay TO '2ms'`);
    pid = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
    if (signal.aborted) return false;
    await client.query(`VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) ${table}`);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
    end();
  }
}

async function inTransaction<T>(
  pool: Pool,
  settings: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(`BEGIN; ${settings}`);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    failure = error as Error;
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release(failure);
  }
}
