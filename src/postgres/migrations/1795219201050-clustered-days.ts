// Which days of the session facts lie in the order of their key: see src/modules/projections/clustering/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ClusteredDays1795219201050 implements MigrationInterface {
  readonly name = 'ClusteredDays1795219201050';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE clustered_days (
        version      integer     NOT NULL,
        day          timestamptz NOT NULL,
        site         text        COLLATE "C" NOT NULL DEFAULT '',
        moves        integer     NOT NULL DEFAULT 0,
        clustered_at timestamptz,
        PRIMARY KEY (version, day)
      );
      COMMENT ON COLUMN clustered_days.site IS 'The rows of sites up to this one have been moved.';
      COMMENT ON COLUMN clustered_days.moves IS 'Transactions that moved them: each begins where it knows the last.';
      COMMENT ON COLUMN clustered_days.clustered_at IS 'Null: not all have.';
      ALTER TABLE rebuild_partitions ADD COLUMN ordered_until timestamptz;
      COMMENT ON COLUMN rebuild_partitions.ordered_until IS
        'What the log held then was written in the order of the key; null: by a release that did not.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rebuild_partitions DROP COLUMN ordered_until; DROP TABLE clustered_days');
  }
}
