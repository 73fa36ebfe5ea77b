// The regular expressions of a query, tried before any row is read: PostgreSQL would notice a malformed
// one only once a row reaches it.
import type { ClientBase } from 'pg';
import { Problem } from '../../../http/problem.js';
import { type Filter, patternsOfTree } from '../request/filters.js';

const INVALID_REGULAR_EXPRESSION = '2201B';

/** @throws Problem 400 naming the pattern's path in the request. */
export async function refuseUnknownPatterns(client: ClientBase, filters: readonly Filter[]): Promise<void> {
  const patterns = filters.flatMap((filter, index) => patternsOfTree(filter, `filters[${index}]`));
  for (const { pattern, path } of patterns) {
    try {
      await client.query(`SELECT '' ~ $1::text`, [pattern]);
    } catch (error) {
      if ((error as { code?: string }).code !== INVALID_REGULAR_EXPRESSION) throw error;
      const message = (error as Error).message;
      throw Problem.badRequest(`${path}: ${message}`, [{ path, message }]);
    }
  }
}
