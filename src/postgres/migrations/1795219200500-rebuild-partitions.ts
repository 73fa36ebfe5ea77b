// How far each partition of a rebuild has come, and the log itself: see src/modules/projections/rebuild/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RebuildPartitions1795219200500 implements MigrationInterface {
  readonly name = 'RebuildPartitions1795219200500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE rebuild_partitions (
        version         integer     NOT NULL,
        partition       integer     NOT NULL,
        phase           text        NOT NULL DEFAULT 'sorting' CHECK (phase IN ('sorting', 'writing', 'following')),
        plan            jsonb       NOT NULL,
        position        text,
        step            integer     NOT NULL DEFAULT 0,
        events_sorted   bigint      NOT NULL DEFAULT 0,
        events_written  bigint      NOT NULL DEFAULT 0,
        events_expected bigint      NOT NULL,
        error           text,
        updated_at      timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (version, partition)
      );
      -- As the projectors last saw them, for those who do not open the log.
      CREATE TABLE log_ends (
        partition  integer     PRIMARY KEY,
        position   text,
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      -- Rewritten all the time: room on the page keeps the updates off the index.
      ALTER TABLE log_ends SET (fillfactor = 20, autovacuum_vacuum_threshold = 1000);
      COMMENT ON COLUMN rebuild_partitions.plan IS 'End of the log at the start, number of buckets, sites divided by visitor.';
      COMMENT ON COLUMN rebuild_partitions.step IS 'Buckets written.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE log_ends; DROP TABLE rebuild_partitions');
  }
}
