// One transaction: the checkpoint moves by compare-and-swap, then the rows follow. Either all of it
// is in the read models or none.
import type { Pool, PoolClient } from 'pg';
import { failpoint } from '../../telemetry/failpoint.js';
import type { Checkpoints, Move } from './checkpoint.js';
import { CounterWriter } from './counter-writer.js';
import { type DeadLetter, insertDeadLetters } from './dead-letters.js';
import type { Flush } from './flush.js';
import { type Projection, tableOf } from './projection.js';
import { MonthPartitions } from './read-model-tables.js';
import { writeRows } from './row-writer.js';

export type CommitOutcome = 'committed' | 'partition-lost' | 'rolled-back';

export interface Commit {
  readonly move: Move;
  readonly flush: Flush;
  readonly deadLetters: readonly DeadLetter[];
  /** `trial`: do everything, then roll back; to find out which event PostgreSQL refuses. */
  readonly mode: 'real' | 'trial';
}

/** Commits the flushes of one partition, one after the other. */
export class Committer {
  readonly #months = new Map<string, MonthPartitions>();
  readonly #counters = new CounterWriter();

  constructor(
    private readonly pool: Pool,
    private readonly checkpoints: Checkpoints,
    projections: readonly Projection[],
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
  async commit({ move, flush, deadLetters, mode }: Commit): Promise<CommitOutcome> {
    for (const table of flush.tables) {
      if (table.kind === 'rows') await this.#months.get(table.projection.name)?.ensure(table.times);
    }
    failpoint('projector.before-transaction');
    const client = await this.pool.connect();
    // A connection that breaks fails the query under way; unheard, its event would end the process.
    const unheard = () => {};
    client.on('error', unheard);
    let failure: Error | undefined;
    try {
      // Rows and checkpoint are lost together at worst, and folded again from the log.
      await client.query('BEGIN; SET LOCAL synchronous_commit TO off');
      if (!(await this.checkpoints.move(client, move))) {
        await client.query('ROLLBACK');
        return 'partition-lost';
      }
      await this.#write(client, flush, move.partition);
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
      client.off('error', unheard);
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
