// Runs the facts' statement and reads its rows as groups.
import type { ClientBase } from 'pg';
import { type Counter, COUNTER_COLUMNS, type Counters, NO_COUNTERS } from '../vocabulary/counters.js';
import { isTimeDimension } from '../vocabulary/dimensions.js';
import type { Group, Groups } from '../report.js';
import type { ReportQuery } from '../request/report-query.js';
import type { FactsQuery } from './facts-query.js';
import { factsStatement } from './facts-sql.js';

export type FactsRow = Readonly<Record<string, string | number | null>>;

export async function groupsFromFacts(client: ClientBase, query: FactsQuery, table: string): Promise<Groups> {
  const statement = factsStatement(query, table);
  const { rows } = await client.query<FactsRow>(statement.text, [...statement.values]);
  const groups = rows.map((row) => groupOf(query, row));
  const total = rows[0]?.total_rows;
  if (!query.include.totalRows || rows.length > 0 || query.pagination.offset === 0) {
    return { groups, totalRows: Number(total ?? groups.length) };
  }
  // A page beyond the last has no row to carry the total.
  const { text, values } = statement.totalRowsStatement;
  const counted = await client.query<FactsRow>(text, [...values]);
  return { groups, totalRows: Number(counted.rows[0]!.total_rows) };
}

export function groupOf({ dimensions }: ReportQuery, row: FactsRow): Group {
  const values = dimensions.filter((dimension) => !isTimeDimension(dimension));
  return {
    bucket: row.bucket === undefined ? 0 : Number(row.bucket) - 1,
    values: values.map((_, index) => String(row[`d${index}`])),
    counters: countersOf(row),
  };
}

/** Those that the query needs; the others are nothing. */
function countersOf(row: FactsRow): Counters {
  const counted = (Object.keys(COUNTER_COLUMNS) as Counter[])
    .filter((counter) => row[COUNTER_COLUMNS[counter]] !== undefined)
    .map((counter) => {
      const value = row[COUNTER_COLUMNS[counter]]!;
      if (counter === 'firstCurrency' || counter === 'lastCurrency') return [counter, value];
      return [counter, counter === 'revenueMicros' ? BigInt(value) : Number(value)];
    });
  return { ...NO_COUNTERS, ...(Object.fromEntries(counted) as Partial<Counters>) };
}
