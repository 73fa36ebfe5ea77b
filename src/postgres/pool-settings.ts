// How a pool connects, for a connection to the same database that must not wait for one of the pool's.
import type { Pool, PoolConfig } from 'pg';

/** The pool hides the password from enumeration, so that a spread alone would not carry it. */
export function settingsOf({ options }: Pool): PoolConfig {
  return { ...options, password: options.password };
}
