// Runs the facts' statement and reads its rows as groups.
import type { ClientBase } from 'pg';
import { isTimeDimension } from '../dimensions.js';
import type { Group, Groups } from '../report.js';
import type { ReportQuery } from '../report-query.js';
import { factsStatement } from '../facts-sql.js';

type Row = Readonly<Record<string, string | number | null>>;

export async function groupsFromFacts(
  client: ClientBase,
  query: ReportQuery,
  table: string,
): Promise<Groups> {
  const statement = factsStatement(query, table);
  const { rows } = await client.query<Row>(statement.text, [...statement.values]);
  const groups = rows.map((row) => groupOf(query, row));
  const total = rows[0]?.total_rows;
  if (!query.include.totalRows || rows.length > 0 || query.pagination.offset === 0) {
    return { groups, totalRows: Number(total ?? groups.length) };
  }
  // A page beyond the last has no row to carry the total.
  const { text, values } = statement.totalRowsStatement;
  const counted = await client.query<Row>(text, [...values]);
  return { groups, totalRows: Number(counted.rows[0]!.total_rows) };
}

function groupOf({ dimensions }: ReportQuery, row: Row): Group {
  const values = dimensions.filter((dimension) => !isTimeDimension(dimension));
  return {
    bucket: row.bucket === undefined ? 0 : Number(row.bucket) - 1,
    values: values.map((_, index) => String(row[`d${index}`])),
    counters: {
      visitors: Number(row.visitors),
      visits: Number(row.visits),
      pageviews: Number(row.pageviews),
      events: Number(row.events),
      bounceSessions: Number(row.bounce_sessions),
      bounces: Number(row.bounces),
      durationSessions: Number(row.duration_sessions),
      durationMs: Number(row.duration_ms),
    },
  };
}
