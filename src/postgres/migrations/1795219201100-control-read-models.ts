// Merchants, members, invitations, sites and keys as tables, to search and page through: derived from the
// event store, and made anew from it at any time. See src/modules/auth/read-models/.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ControlReadModels1795219201100 implements MigrationInterface {
  readonly name = 'ControlReadModels1795219201100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE SCHEMA control;

      CREATE TABLE control.read_models (
        name       text    PRIMARY KEY,
        definition integer NOT NULL,
        position   text
      );

      CREATE TABLE control.merchants (
        merchant   text           PRIMARY KEY,
        name       text           NOT NULL,
        created_at timestamptz(3) NOT NULL
      );

      CREATE TABLE control.members (
        merchant   text           NOT NULL,
        person     text           NOT NULL,
        role       text           NOT NULL,
        joined_at  timestamptz(3) NOT NULL,
        invitation text,
        PRIMARY KEY (merchant, person)
      );
      CREATE INDEX members_by_person ON control.members (person);

      CREATE TABLE control.invitations (
        merchant   text           NOT NULL,
        invitation text           NOT NULL,
        role       text           NOT NULL,
        email      text           NOT NULL,
        sent_at    timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        PRIMARY KEY (merchant, invitation)
      );

      CREATE TABLE control.sites (
        site       text           PRIMARY KEY,
        merchant   text           NOT NULL,
        domain     text           NOT NULL,
        name       text           NOT NULL,
        created_at timestamptz(3) NOT NULL,
        state      jsonb          NOT NULL
      );
      CREATE INDEX sites_by_merchant ON control.sites (merchant, domain);

      CREATE TABLE control.keys (
        key        text           PRIMARY KEY,
        merchant   text           NOT NULL,
        site       text,
        name       text           NOT NULL,
        created_at timestamptz(3) NOT NULL,
        state      jsonb          NOT NULL
      );
      CREATE INDEX keys_by_owner ON control.keys (merchant, site);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA control CASCADE');
  }
}
