// Which salt is a day's: decided here, once for all nodes, by its fingerprint. The salt itself is in
// Redis where there is one, and in salts.daily otherwise or when a node asks for it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SaltFingerprints1795219200300 implements MigrationInterface {
  readonly name = 'SaltFingerprints1795219200300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE salts.fingerprints (
        day date PRIMARY KEY,
        fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
        asked_for boolean NOT NULL DEFAULT false
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE salts.fingerprints');
  }
}
