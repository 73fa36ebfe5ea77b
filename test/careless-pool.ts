// The product's own statements with the tenant forgotten: wherever one says `site = $n`, it says nothing. What
// keeps rows of others away then is PostgreSQL; and where it is told not to, nothing does.
import { Client, Pool } from 'pg';

export interface CarelessPool {
  readonly pool: Pool;
  /** Statements that forgot the site since it was last asked. */
  forgotten(): number;
}

const OF_SITE = /(?:\b\w+\.)?\bsite = (\$\d+)(?:::text)?/g;
const TAKES_ROLE = `set_config('role', `;
const KEEPS_ROLE = `set_config('tidemark.role', `;

/** @param rowSecurity `none`: transactions of a tenant run as whoever logs in, a superuser */
export function carelessPool(url: string, rowSecurity: 'tenant' | 'none'): CarelessPool {
  let forgotten = 0;
  const careless = (text: string): string => {
    const changed = text.replaceAll(OF_SITE, '($1::text IS NOT NULL)');
    if (changed !== text) forgotten++;
    return rowSecurity === 'tenant' ? changed : changed.replaceAll(TAKES_ROLE, KEEPS_ROLE);
  };
  class CarelessClient extends Client {
    override query = ((statement: unknown, ...rest: unknown[]): unknown => {
      const changed = typeof statement === 'string' ? careless(statement) : statement;
      return Reflect.apply(Client.prototype.query, this, [changed, ...rest]);
    }) as Client['query'];
  }
  return {
    pool: new Pool({ connectionString: url, max: 10, Client: CarelessClient }),
    forgotten: () => {
      const count = forgotten;
      forgotten = 0;
      return count;
    },
  };
}
