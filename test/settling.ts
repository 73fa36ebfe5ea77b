// Settles days of a test's rows as the background worker does, without waiting for its turn.
import type { Pool } from 'pg';
import type { Range } from '../src/modules/query/request/date-range.js';
import { settleDay } from '../src/modules/query/settled/settle-day.js';
import { wholeDaysOf } from '../src/modules/query/settled/settled-question.js';
import {
  createSettledTables,
  type SettledTables,
  settledTablesOf,
} from '../src/modules/query/settled/settled-tables.js';

export interface DaysToSettle {
  readonly site: string;
  readonly zone: string;
  /** Whole days. */
  readonly range: Range;
  readonly valuesMax?: number;
}

/** Of version 1. */
export async function settleDays(
  pool: Pool,
  { site, zone, range, valuesMax = 1_000 }: DaysToSettle,
): Promise<SettledTables> {
  expect(await createSettledTables(pool, 1)).toBe(true);
  const tables = settledTablesOf(1);
  const days = wholeDaysOf(range, zone);
  if (days === null) throw new Error('The range is not made of whole days.');
  for (const day of days) {
    const asked = { site, zone, day, tables, facts: 'sessions_v1', valuesMax, timeoutMs: 30_000 };
    expect(await settleDay(pool, asked)).toBe('settled');
  }
  return tables;
}
