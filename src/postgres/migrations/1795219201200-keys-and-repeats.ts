// When keys were last used (src/modules/auth/keys/key-usage.ts), and requests that may be sent again,
// with what they were answered (src/modules/auth/idempotency/).
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeysAndRepeats1795219201200 implements MigrationInterface {
  readonly name = 'KeysAndRepeats1795219201200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE key_uses (
        key     text           NOT NULL PRIMARY KEY,
        used_at timestamptz(3) NOT NULL
      );
      -- Every node writes it again each minute: room on the page keeps the updates off the index.
      ALTER TABLE key_uses SET (fillfactor = 50);

      CREATE TABLE repeatable_requests (
        name       bytea          NOT NULL PRIMARY KEY,
        request    bytea          NOT NULL,
        salt       bytea          NOT NULL,
        attempt    uuid           NOT NULL,
        until      timestamptz(3) NOT NULL,
        answer     bytea,
        created_at timestamptz(3) NOT NULL DEFAULT now()
      );
      CREATE INDEX repeatable_requests_by_creation ON repeatable_requests (created_at);
      COMMENT ON COLUMN repeatable_requests.name IS
        'HMAC of caller, endpoint and Idempotency-Key, which is not stored.';
      COMMENT ON COLUMN repeatable_requests.until IS
        'Without an answer by then, the attempt is given up and the same request may be carried out again.';
      COMMENT ON COLUMN repeatable_requests.answer IS 'Sealed under the Idempotency-Key and the pepper.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE key_uses, repeatable_requests');
  }
}
