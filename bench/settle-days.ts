// Settles the days of a benchmark's big site as the product does in the background, without its rests.
import type { Pool } from 'pg';
import type { Range } from '../src/modules/query/request/date-range.js';
import { settleDay } from '../src/modules/query/settled/settle-day.js';
import { wholeDaysOf } from '../src/modules/query/settled/settled-question.js';
import {
  createSettledTables,
  type SettledTables,
  settledTablesOf,
} from '../src/modules/query/settled/settled-tables.js';
import { BIG_SITE } from './session-rows.js';

/** Of version 1, in UTC. */
export async function settleDays(pool: Pool, range: Range): Promise<SettledTables> {
  await createSettledTables(pool, 1);
  const tables = settledTablesOf(1);
  for (const day of wholeDaysOf(range, 'UTC')!) {
    const place = { site: BIG_SITE, zone: 'UTC', day, tables, facts: 'sessions_v1' };
    await settleDay(pool, { ...place, valuesMax: 1_000, timeoutMs: 600_000 });
  }
  return tables;
}
