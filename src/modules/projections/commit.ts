// One transaction: the checkpoint moves by compare-and-swap, then the rows follow. Either all of it
// is in the read models or none.
import type { Pool, PoolClient } from 'pg';
import { failpoint } from '../../telemetry/failpoint.js';
import type { Position } from '../../tracking-log/tracking-log.js';
import { writeChangedPeriods } from './changed-periods-writer.js';
import { CounterWriter } from './counter-writer.js';
import type { DeadLetter } from './dead-letters/dead-letter.js';
import { insertDeadLetters } from './dead-letters/dead-letter-writer.js';
import type { Flush } from './flush.js';
import { type Projection, tableOf } from './projection.js';
import { MonthPartitions } from './read-model-tables.js';
import { writeRows } from './row-writer.js';

export type CommitOutcome = 'committed' | 'partition-lost' | 'rolled-back';

export interface Commit {
  readonly partition: number;
  /** Moves what says how far the rows go, within the transaction; false when another moved it before. */
  readonly advance: (client: PoolClient) => Promise<boolean>;
  readonly flush: Flush;
  /** How far the log is in the rows then. Left out where nobody asks about the rows yet. */
  readonly position?: Position;
  readonly deadLetters: readonly DeadLetter[];
  /** `trial`: do everything, then roll back; to find out which event PostgreSQL refuses. */
  readonly mode: 'real' | 'trial';
}

/**
 * Rows and checkpoint are lost together at worst, and folded again from the log. And a process that
 * hangs in the middle must not keep whoever takes over waiting for the checkpoint's row for long.
 */
const begin = (hangMsMax: number): string => `BEGIN;
  SET LOCAL synchronous_commit TO off;
  SET LOCAL idle_in_transaction_session_timeout TO ${hangMsMax}`;

const HANG_MS_MAX = 5_000;

/** Commits the flushes of one partition, one after the other. */
export class Committer {
  readonly #months = new Map<string, MonthPartitions>();
  readonly #counters = new CounterWriter();

  constructor(
    private readonly pool: Pool,
    private readonly projections: readonly Projection[],
    private readonly hangMsMax = HANG_MS_MAX,
  ) {
    for (const projection of projections) {
      if (projection.partitionBy)
        this.#months.set(projection.name, new MonthPartitions(pool, tableOf(projection)));
    }
  }

  /** Forgets what it knows of the tables: a commit failed, or another projector may have written. */
  reset(): void {
    this.#counters.reset();
  }

  /** @throws Error from PostgreSQL: whether the commit happened is known only from the checkpoint then */
  async commit({ partition, advance, flush, position, deadLetters, mode }: Commit): Promise<CommitOutcome> {
    for (const table of flush.tables) {
      if (table.kind === 'rows') await this.#months.get(table.projection.name)?.ensure(table.days);
    }
    failpoint('projector.before-transaction');
    const client = await this.pool.connect();
    let failure: Error | undefined;
    try {
      await client.query(begin(this.hangMsMax));
      if (!(await advance(client))) {
        await client.query('ROLLBACK');
        return 'partition-lost';
      }
      await this.#write(client, flush, partition);
      if (position !== undefined) {
        await writeChangedPeriods(client, flush, {
          version: this.projections[0]!.version,
          partition,
          position,
        });
      }
      await insertDeadLetters(client, deadLetters);
      failpoint('projector.before-commit');
      await client.query(mode === 'trial' ? 'ROLLBACK' : 'COMMIT');
      failpoint('projector.after-commit');
      return mode === 'trial' ? 'rolled-back' : 'committed';
    } catch (error) {
      failure = error as Error;
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      client.release(failure);
    }
  }

  async #write(client: PoolClient, flush: Flush, partition: number): Promise<void> {
    for (const table of flush.tables) {
      if (table.kind === 'rows') await writeRows(client, table);
      else await this.#counters.write(client, table, partition);
    }
  }
}
