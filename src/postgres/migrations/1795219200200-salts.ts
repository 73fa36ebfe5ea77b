// The daily salts of visitor ids, in a schema of their own: backups must leave it out, or a deleted
// salt lives on in them and old visitor ids could be recomputed.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Salts1795219200200 implements MigrationInterface {
  readonly name = 'Salts1795219200200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE SCHEMA salts;
      CREATE TABLE salts.daily (
        day date PRIMARY KEY,
        salt bytea NOT NULL CHECK (octet_length(salt) = 32),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA salts CASCADE');
  }
}
