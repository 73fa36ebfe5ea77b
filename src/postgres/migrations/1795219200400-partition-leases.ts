// Which projectors there are and which partitions of the tracking log are whose, for logs without
// consumer groups. Efficiency only: see src/modules/projections/sharing/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PartitionLeases1795219200400 implements MigrationInterface {
  readonly name = 'PartitionLeases1795219200400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE projectors (
        projector integer     PRIMARY KEY,
        joined_at timestamptz NOT NULL DEFAULT now(),
        until     timestamptz NOT NULL
      );
      CREATE TABLE partition_leases (
        partition integer     PRIMARY KEY,
        owner     integer,
        until     timestamptz NOT NULL DEFAULT '-infinity'
      );
      -- Rewritten every second: room on the page keeps the updates off the index.
      ALTER TABLE projectors SET (fillfactor = 20, autovacuum_vacuum_threshold = 1000);
      ALTER TABLE partition_leases SET (fillfactor = 20, autovacuum_vacuum_threshold = 1000);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE partition_leases; DROP TABLE projectors');
  }
}
