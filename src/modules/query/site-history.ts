// When a site's data begins, for the date range `all`. The rollup may reach further back than the
// facts, whose old partitions are dropped; the facts know the moment, the rollup only the hour.
import type { Pool } from 'pg';
import { inTenantTransaction } from '../../postgres/tenant.js';
import type { ReadModelsState } from './freshness.js';

const HOUR_MS = 3_600_000;

/** Epoch milliseconds; null while the site has no session. */
export async function firstSessionOf(
  pool: Pool,
  site: string,
  { projections }: ReadModelsState,
): Promise<number | null> {
  const { rows } = await inTenantTransaction(pool, { site }, (client) =>
    client.query<{ hour: Date | null; started_at: Date | null }>(
      `SELECT (SELECT hour FROM ${projections.traffic.table} WHERE site = $1 ORDER BY hour LIMIT 1) AS hour,
        (SELECT started_at FROM ${projections.sessions.table} WHERE site = $1 ORDER BY started_at LIMIT 1) AS started_at`,
      [site],
    ),
  );
  const { hour, started_at } = rows[0]!;
  if (hour === null || started_at === null) return (hour ?? started_at)?.getTime() ?? null;
  return hour.getTime() <= started_at.getTime() - HOUR_MS ? hour.getTime() : started_at.getTime();
}
