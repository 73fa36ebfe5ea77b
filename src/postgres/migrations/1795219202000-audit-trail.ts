// Who did what, when and from where, as a table to search: derived from the event store, and made anew from it at
// any time. See src/modules/auth/audit/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AuditTrail1795219202000 implements MigrationInterface {
  readonly name = 'AuditTrail1795219202000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE control.audit (
        entry    bigint         PRIMARY KEY,
        at       timestamptz(3) NOT NULL,
        by       text,
        kind     text,
        request  text,
        country  text,
        client   text,
        stream   text           NOT NULL,
        revision integer        NOT NULL,
        type     text           NOT NULL,
        merchant text,
        site     text,
        data     jsonb          NOT NULL
      );
      COMMENT ON COLUMN control.audit.entry IS 'Counts the events of the event store in their order.';
      COMMENT ON COLUMN control.audit.merchant IS 'Whose concern it is, beside the operator''s.';
      CREATE INDEX audit_by_merchant ON control.audit (merchant, at, entry);
      CREATE INDEX audit_by_site ON control.audit (site, at, entry);
      CREATE INDEX audit_by_stream ON control.audit (stream, at, entry);
      CREATE INDEX audit_by_caller ON control.audit (by, at, entry);
      CREATE INDEX audit_by_type ON control.audit (type, at, entry);
      CREATE INDEX audit_by_time ON control.audit (at, entry);
      CREATE INDEX audit_by_key_prefix ON control.audit ((data ->> 'prefix')) WHERE data ? 'prefix';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE control.audit');
  }
}
