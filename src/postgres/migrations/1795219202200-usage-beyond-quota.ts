// How much of a month's events is hidden, because the merchant was over its quota, and how much was not taken:
// src/modules/auth/quotas/usage-table.ts.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class UsageBeyondQuota1795219202200 implements MigrationInterface {
  readonly name = 'UsageBeyondQuota1795219202200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE event_usage
        ADD COLUMN hidden_from    timestamptz(3),
        ADD COLUMN hidden_events  bigint NOT NULL DEFAULT 0,
        ADD COLUMN dropped_events bigint NOT NULL DEFAULT 0;
      COMMENT ON COLUMN event_usage.hidden_from IS
        'Beginning of the time over the quota that hidden_events were counted in: the last one.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE event_usage DROP COLUMN hidden_from, DROP COLUMN hidden_events, DROP COLUMN dropped_events',
    );
  }
}
