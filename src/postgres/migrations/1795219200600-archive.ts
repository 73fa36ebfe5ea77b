// Which segments make up the archive of the tracking log, and how far it reaches: see src/archive/manifest.ts.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Archive1795219200600 implements MigrationInterface {
  readonly name = 'Archive1795219200600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE archive_partitions (
        partition  integer     PRIMARY KEY,
        revision   bigint      NOT NULL,
        position   text,
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE archive_segments (
        partition         integer NOT NULL REFERENCES archive_partitions,
        ordinal           bigint  NOT NULL,
        object            text    NOT NULL UNIQUE,
        after_position    text,
        first_position    text    NOT NULL,
        last_position     text    NOT NULL,
        events            bigint  NOT NULL,
        bytes             bigint  NOT NULL,
        sha256            text    NOT NULL,
        first_appended_at bigint  NOT NULL,
        last_appended_at  bigint  NOT NULL,
        schema            integer NOT NULL,
        PRIMARY KEY (partition, ordinal)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE archive_segments; DROP TABLE archive_partitions');
  }
}
