// Bounds in time that may be each site's own, on their way into SQL.
import type { Ranges } from './build-scope.js';

export interface BoundsSql {
  /** Follows the table, whose column `site` it is joined by. */
  readonly join: string;
  /** Of a row's site. */
  readonly low: string;
  readonly high: string;
  readonly values: readonly unknown[];
}

/** @param first number of the first of its parameters */
export function boundsSql({ usual, bySite }: Ranges, first: number): BoundsSql {
  const bounds = [...bySite.values()];
  return {
    join: `LEFT JOIN unnest($${first}::text[], $${first + 1}::timestamptz[], $${first + 2}::timestamptz[])
      AS own(site, low, high) USING (site)`,
    low: `coalesce(own.low, $${first + 3}::timestamptz)`,
    high: `coalesce(own.high, $${first + 4}::timestamptz)`,
    values: [
      [...bySite.keys()],
      bounds.map(({ from }) => sqlTime(from)),
      bounds.map(({ to }) => sqlTime(to)),
      sqlTime(usual.from),
      sqlTime(usual.to),
    ],
  };
}

export function sqlTime(time: number): string {
  if (Number.isFinite(time)) return new Date(time).toISOString();
  return time < 0 ? '-infinity' : 'infinity';
}
