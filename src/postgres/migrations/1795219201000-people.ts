// What people's accounts need beside the event store: the keys of sealed personal data and of access tokens (both
// encrypted under the pepper), who is signed in, and which one-time codes were used. See src/modules/auth/people/.
// In a schema of its own: a backup that keeps a data key for ever keeps what was to be forgotten.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class People1795219201000 implements MigrationInterface {
  readonly name = 'People1795219201000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE SCHEMA people;
      CREATE TABLE people.data_keys (
        subject       text PRIMARY KEY,
        encrypted_key text NOT NULL,
        created_at    timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE people.signing_keys (
        id            text PRIMARY KEY,
        public_key    jsonb NOT NULL,
        encrypted_key text NOT NULL,
        signs_from    timestamptz(3) NOT NULL
      );
      CREATE TABLE people.sign_ins (
        id           text PRIMARY KEY,
        person       text NOT NULL,
        merchant     text,
        generation   integer NOT NULL,
        by_cookie    boolean NOT NULL,
        digest       text NOT NULL,
        network      text NOT NULL,
        user_agent   text,
        created_at   timestamptz(3) NOT NULL,
        last_used_at timestamptz(3) NOT NULL,
        -- Later with every use, up to ends_at.
        expires_at   timestamptz(3) NOT NULL,
        ends_at      timestamptz(3) NOT NULL
      );
      CREATE INDEX sign_ins_of_person ON people.sign_ins (person);
      CREATE INDEX sign_ins_expiring ON people.sign_ins (expires_at);
      CREATE TABLE people.one_time_codes (
        person    text PRIMARY KEY,
        last_step bigint NOT NULL
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA people CASCADE');
  }
}
