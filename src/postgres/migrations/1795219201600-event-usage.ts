// How many events each site has sent in a month, and up to which flush each process has added its own:
// src/modules/auth/quotas/usage-table.ts.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EventUsage1795219201600 implements MigrationInterface {
  readonly name = 'EventUsage1795219201600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE event_usage (
        merchant text   NOT NULL,
        month    text   NOT NULL,
        site     text   COLLATE "C" NOT NULL,
        events   bigint NOT NULL,
        PRIMARY KEY (merchant, month, site)
      );
      -- Every node adds to it every few seconds: room on the page keeps the updates off the index.
      ALTER TABLE event_usage SET (fillfactor = 50);
      COMMENT ON COLUMN event_usage.month IS 'Of UTC, as 2026-11.';

      CREATE TABLE usage_flushes (
        node       uuid           NOT NULL PRIMARY KEY,
        flush      bigint         NOT NULL,
        flushed_at timestamptz(3) NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE event_usage, usage_flushes');
  }
}
