// TypeORM's entities on the process's own pool: no connections besides, and none of its own to close. For the
// control plane; what has to be fast speaks SQL.
import type { Pool } from 'pg';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';

/** Ready to use; ends with the pool. Tables are made by migrations, never by TypeORM. */
export async function openEntitySource(
  pool: Pool,
  entities: readonly EntityTarget<ObjectLiteral>[],
): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    entities: entities as (new () => ObjectLiteral)[],
    driver: { Pool: borrowed(pool) },
    installExtensions: false,
  });
  return source.initialize();
}

/** What TypeORM makes its pool of: hands out the connections of the one there is. */
const borrowed = (pool: Pool) =>
  class {
    connect = pool.connect.bind(pool);
    /** Errors of idle connections are heard by the pool's owner. */
    on(): void {}
    end(done: () => void): void {
      done();
    }
  };
