// Between which instants the days of a rebuild lie, for each site: see src/modules/projections/rebuild/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RebuildBounds1795219200800 implements MigrationInterface {
  readonly name = 'RebuildBounds1795219200800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE rebuild_bounds (
        version integer     NOT NULL,
        site    text        COLLATE "C" NOT NULL,
        from_at timestamptz NOT NULL,
        to_at   timestamptz NOT NULL,
        PRIMARY KEY (version, site)
      );
      COMMENT ON COLUMN rebuild_bounds.site IS 'Empty: every site that has no row of its own.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rebuild_bounds');
  }
}
