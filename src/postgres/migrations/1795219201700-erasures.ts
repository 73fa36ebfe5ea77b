// Whose rows are being erased, by whom, and how many are gone so far: see src/modules/auth/deletion/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Erasures1795219201700 implements MigrationInterface {
  readonly name = 'Erasures1795219201700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE erasures (
        subject    text           PRIMARY KEY,
        owner      text,
        until      timestamptz    NOT NULL DEFAULT '-infinity',
        started_at timestamptz(3) NOT NULL DEFAULT now(),
        passes     integer        NOT NULL DEFAULT 0,
        rows       bigint         NOT NULL DEFAULT 0
      );
      COMMENT ON COLUMN erasures.subject IS 'Id of the site. Not called site: these rows are not the site''s.';
      COMMENT ON COLUMN erasures.until IS 'By then the owner has gone on, or is taken for dead.';
      COMMENT ON COLUMN erasures.passes IS 'How often all tables were gone through; the last finds nothing.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE erasures');
  }
}
