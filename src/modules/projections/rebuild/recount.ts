// The counters of a rebuild of some days. Hours at either end are touched by copied sessions and by written
// ones, so all hours within the days, and those that sessions of these days go on into, are counted from the
// rows of both, in one transaction. All other hours stay as they were copied.
import type { Pool, PoolClient } from 'pg';
import type { CommitOutcome } from '../commit.js';
import { CounterWriter } from '../counter-writer.js';
import { Flush } from '../flush.js';
import { type CountersProjection, type Projection, tableOf } from '../projection.js';
import { SESSION_DURATION_MAX_MS } from '../read-models/sessions.read-model.js';
import { eventsOf, SESSION_COLUMNS, type SessionRow } from '../session-reader.js';
import { sessionOf } from '../sessionizer.js';
import { boundsSql, sqlTime } from './bounds-sql.js';
import { countedHours, countersWithin, type Ranges, spanOf, timeColumnOf } from './build-scope.js';

const FETCHED_ROWS = 1_000;

export interface RecountOptions {
  readonly pool: Pool;
  readonly partition: number;
  readonly projections: readonly Projection[];
  /** Table of the sessions. */
  readonly sessions: string;
  /** That of the version from which the other days were copied, with the hours that its sessions touch. */
  readonly basisSessions: string;
  readonly ranges: Ranges;
  /** So many events are summed up in memory before they are written. */
  readonly eventsMax: number;
  readonly hangMsMax: number;
  /** See Commit. */
  readonly advance: (client: PoolClient) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** Not held to a pace, lest its transaction be open for long. */
export async function recount(options: RecountOptions): Promise<CommitOutcome> {
  const client = await options.pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(`BEGIN; SET LOCAL statement_timeout TO 0; SET LOCAL synchronous_commit TO off;
      SET LOCAL idle_in_transaction_session_timeout TO ${options.hangMsMax}`);
    const outcome = (await options.advance(client)) ? await countSessions(client, options) : 'partition-lost';
    await client.query(outcome === 'committed' ? 'COMMIT' : 'ROLLBACK');
    return outcome;
  } catch (error) {
    failure = error as Error;
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release(failure);
  }
}

async function countSessions(client: PoolClient, options: RecountOptions): Promise<CommitOutcome> {
  const { partition, projections, ranges, eventsMax, signal } = options;
  const hours = countedHours(ranges, await lastEnds(client, options));
  const counters = countersWithin(projections, hours);
  for (const counter of counters) await removeCopied(client, { partition, counter, hours });
  const writer = new CounterWriter();
  let flush = new Flush(counters, partition);
  let events = 0;
  for await (const rows of sessionRows(client, options, hours)) {
    if (signal.aborted) return 'rolled-back';
    const after = rows.map((row) =>
      sessionOf(
        row.site,
        eventsOf(row).map(({ event }) => event),
      ),
    );
    flush.add({ before: [], after, timelines: [], repeats: 0, conflicts: 0 });
    events += after.reduce((sum, session) => sum + session.events.length, 0);
    if (events < eventsMax) continue;
    await writeCounters(client, writer, flush);
    flush = new Flush(counters, partition);
    events = 0;
  }
  await writeCounters(client, writer, flush);
  return 'committed';
}

async function writeCounters(client: PoolClient, writer: CounterWriter, flush: Flush): Promise<void> {
  for (const table of flush.tables) {
    if (table.kind === 'counters') await writer.write(client, table, flush.partition);
  }
}

/** Of sessions that began within the days and went on beyond them, in either version: by site, the last end. */
async function lastEnds(
  client: PoolClient,
  { partition, sessions, basisSessions, ranges }: RecountOptions,
): Promise<ReadonlyMap<string, number>> {
  const { from, to } = spanOf(ranges);
  const bounds = boundsSql(ranges, 4);
  const ends = (table: string): string =>
    `SELECT site, ended_at FROM ${table} ${bounds.join}
     WHERE partition = $1 AND started_at >= $2 AND started_at < $3
       AND started_at >= ${bounds.low} AND started_at < ${bounds.high} AND ended_at >= ${bounds.high}`;
  const { rows } = await client.query<{ site: string; ended_at: number }>(
    `SELECT site, (extract(epoch FROM max(ended_at)) * 1000)::float8 AS ended_at
     FROM (${ends(sessions)} UNION ALL ${ends(basisSessions)}) AS reaching GROUP BY site`,
    [partition, sqlTime(from), sqlTime(to), ...bounds.values],
  );
  return new Map(rows.map((row) => [row.site, row.ended_at]));
}

interface Counted {
  readonly partition: number;
  readonly counter: CountersProjection;
  readonly hours: Ranges;
}

async function removeCopied(client: PoolClient, { partition, counter, hours }: Counted): Promise<void> {
  const table = tableOf(counter);
  const time = timeColumnOf(counter);
  const bounds = boundsSql(hours, 2);
  await client.query(
    `DELETE FROM ${table} USING (SELECT site, ${time} FROM ${table} ${bounds.join}
       WHERE partition = $1 AND ${time} >= ${bounds.low} AND ${time} < ${bounds.high}) AS gone
     WHERE ${table}.partition = $1 AND ${table}.site = gone.site AND ${table}.${time} = gone.${time}`,
    [partition, ...bounds.values],
  );
}

/** Those that touch the hours. */
async function* sessionRows(
  client: PoolClient,
  { partition, sessions }: RecountOptions,
  hours: Ranges,
): AsyncGenerator<readonly SessionRow[]> {
  const { from, to } = spanOf(hours);
  const bounds = boundsSql(hours, 4);
  // Beside the exact bounds some for all sites: by these the planner passes months over.
  await client.query(
    `DECLARE touching NO SCROLL CURSOR FOR SELECT ${SESSION_COLUMNS} FROM ${sessions} ${bounds.join}
     WHERE partition = $1 AND started_at >= $2 AND started_at < $3 AND ended_at >= ${bounds.low} AND started_at < ${bounds.high}`,
    [partition, sqlTime(from - SESSION_DURATION_MAX_MS), sqlTime(to), ...bounds.values],
  );
  for (;;) {
    const { rows } = await client.query<SessionRow>(`FETCH ${FETCHED_ROWS} FROM touching`);
    if (rows.length === 0) return;
    yield rows;
  }
}
