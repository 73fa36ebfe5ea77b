// What was deleted and what has become of it, as a table of the control plane: so that a process that starts knows
// the deleted sites without reading every event. See src/modules/auth/deletion/ and src/modules/auth/read-models/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Deletions1795219202100 implements MigrationInterface {
  readonly name = 'Deletions1795219202100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE control.deletions (
        kind       text           NOT NULL,
        subject    text           NOT NULL,
        merchant   text,
        deleted_at timestamptz(3) NOT NULL,
        erased_at  timestamptz(3),
        rows       bigint         NOT NULL DEFAULT 0,
        PRIMARY KEY (kind, subject)
      );
      COMMENT ON COLUMN control.deletions.kind IS 'site, merchant or person';
      COMMENT ON COLUMN control.deletions.merchant IS 'Whose it was, where that is known; of a merchant, itself.';
      COMMENT ON COLUMN control.deletions.rows IS 'How many were erased, once all are.';
      CREATE INDEX deletions_under_way ON control.deletions (kind, merchant) WHERE erased_at IS NULL;

      ALTER TABLE control.read_models
        ADD COLUMN stream text, ADD COLUMN revision integer, ADD COLUMN recorded_at timestamptz(3);
      COMMENT ON COLUMN control.read_models.stream IS
        'Of the event at the position, with its revision and time: whether the event store still has it.';

      COMMENT ON COLUMN erasures.subject IS
        'Id of the site or merchant. Not called so: these rows are not theirs.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE control.deletions;
      ALTER TABLE control.read_models DROP COLUMN stream, DROP COLUMN revision, DROP COLUMN recorded_at`);
  }
}
