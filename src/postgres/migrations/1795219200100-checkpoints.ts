// Where each projection stands in the tracking log, and the events it could not fold. Written
// by the projector only, in the transaction that writes its rows.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Checkpoints1795219200100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE checkpoints (
        projection text        NOT NULL,
        version    integer     NOT NULL,
        partition  integer     NOT NULL,
        position   text,
        watermark  timestamptz,
        events     bigint      NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (projection, version, partition)
      );
      COMMENT ON COLUMN checkpoints.position IS 'Last committed position; null before the first.';
      COMMENT ON COLUMN checkpoints.watermark IS 'Everything received up to then is in the rows.';
      -- Rewritten every second: room on the page keeps the updates off the index.
      ALTER TABLE checkpoints SET (fillfactor = 20, autovacuum_vacuum_threshold = 1000);

      CREATE TABLE dead_letters (
        id         text        PRIMARY KEY,
        projection text        NOT NULL,
        version    integer     NOT NULL,
        partition  integer     NOT NULL,
        position   text        NOT NULL,
        event_id   text        NOT NULL,
        site       text        NOT NULL,
        event      jsonb       NOT NULL,
        error      text        NOT NULL,
        failed_at  timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX dead_letters_newest ON dead_letters (failed_at DESC, id DESC);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE dead_letters; DROP TABLE checkpoints');
  }
}
