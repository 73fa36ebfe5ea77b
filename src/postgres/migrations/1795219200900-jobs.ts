// Exports and long queries that wait, run and are kept: see src/modules/query/jobs/. Their results are in
// tables that are made by the hour and dropped whole.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Jobs1795219200900 implements MigrationInterface {
  readonly name = 'Jobs1795219200900';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE jobs (
        site          text           NOT NULL,
        id            text           NOT NULL,
        merchant      text           NOT NULL,
        kind          text           NOT NULL,
        request       text           NOT NULL,
        state         text           NOT NULL DEFAULT 'queued',
        created_at    timestamptz(3) NOT NULL DEFAULT now(),
        started_at    timestamptz(3),
        finished_at   timestamptz(3),
        expires_at    timestamptz(3),
        generation    integer        NOT NULL DEFAULT 0,
        owner         text,
        until         timestamptz    NOT NULL DEFAULT '-infinity',
        tries         integer        NOT NULL DEFAULT 0,
        claimed_at    timestamptz,
        claimed_share double precision,
        cursor        text,
        rows          bigint         NOT NULL DEFAULT 0,
        rows_expected bigint,
        share         double precision,
        bytes         bigint         NOT NULL DEFAULT 0,
        content_type  text,
        sha256        text,
        about         text,
        problem       text,
        PRIMARY KEY (site, id)
      );
      CREATE INDEX jobs_of_merchant ON jobs (merchant);
      CREATE INDEX jobs_open ON jobs (created_at) WHERE state IN ('queued', 'running');
      CREATE INDEX jobs_by_creation ON jobs (created_at);
      CREATE INDEX jobs_expiring ON jobs (expires_at);
      -- Rewritten with every chunk and heart-beat: room on the page keeps the updates off the indexes.
      ALTER TABLE jobs SET (fillfactor = 50);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE jobs');
  }
}
