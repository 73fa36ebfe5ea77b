// What nodes knew of sites and keys at some position of the event store, so that others start from there: see
// src/modules/auth/directories/directory-snapshots.ts. A copy that may be emptied at any time.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DirectorySnapshots1795219201500 implements MigrationInterface {
  readonly name = 'DirectorySnapshots1795219201500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE directory_snapshots (
        id          uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
        formats     jsonb          NOT NULL,
        position    text           NOT NULL,
        stream      text           NOT NULL,
        revision    integer        NOT NULL,
        recorded_at timestamptz(3) NOT NULL,
        parts       integer        NOT NULL,
        written_at  timestamptz    NOT NULL DEFAULT clock_timestamp()
      );
      CREATE TABLE directory_snapshot_parts (
        snapshot  uuid    NOT NULL REFERENCES directory_snapshots ON DELETE CASCADE,
        number    integer NOT NULL,
        directory text    NOT NULL,
        checksum  integer NOT NULL,
        lines     text    NOT NULL,
        PRIMARY KEY (snapshot, number)
      );
      -- Compressing takes longer than reading what it would save.
      ALTER TABLE directory_snapshot_parts ALTER COLUMN lines SET STORAGE EXTERNAL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE directory_snapshot_parts; DROP TABLE directory_snapshots');
  }
}
