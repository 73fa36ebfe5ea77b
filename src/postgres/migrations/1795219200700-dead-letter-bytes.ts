// A dead letter keeps what it is about as bytes of the log, so that it can be appended again exactly, and
// may be a whole batch that nobody can read yet: then there is no event to show.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DeadLetterBytes1795219200700 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE dead_letters
        ADD COLUMN batch  bytea,
        ADD COLUMN events integer NOT NULL DEFAULT 1,
        ALTER COLUMN event_id DROP NOT NULL,
        ALTER COLUMN site     DROP NOT NULL,
        ALTER COLUMN event    DROP NOT NULL;
      COMMENT ON COLUMN dead_letters.batch IS
        'A batch in the format of the log; null where a release before this column wrote the letter.';
      CREATE INDEX dead_letters_of_site ON dead_letters (site, failed_at DESC, id DESC);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX dead_letters_of_site;
      DELETE FROM dead_letters WHERE event IS NULL;
      ALTER TABLE dead_letters
        DROP COLUMN batch,
        DROP COLUMN events,
        ALTER COLUMN event_id SET NOT NULL,
        ALTER COLUMN site     SET NOT NULL,
        ALTER COLUMN event    SET NOT NULL;
    `);
  }
}
