// Asks the facts of a test one question, without HTTP and cache: what specs of the query side compare with
// numbers that can be counted by hand.
import type { Pool } from 'pg';
import { groupsFromFacts } from '../src/modules/query/facts/facts.report.js';
import { inReadTransaction } from '../src/modules/query/read-transaction.js';
import { type ReportRow, rowOf } from '../src/modules/query/report.js';
import { normaliseQuery } from '../src/modules/query/request/report-query.js';
import { parseReportRequest } from '../src/modules/query/request/report-request.js';
import type { Goal, GoalMatch } from '../src/modules/query/vocabulary/goal.js';

export interface AskedFacts {
  readonly pool: Pool;
  readonly site: string;
  readonly zone?: string;
  readonly goals?: readonly Goal[];
}

const TIMEOUT_MS = 10_000;
const NOW = Date.parse('2026-12-01T00:00:00Z');

export async function askFacts(
  { pool, site, zone = 'UTC', goals = [] }: AskedFacts,
  body: Readonly<Record<string, unknown>>,
): Promise<{ readonly rows: readonly ReportRow[]; readonly totalRows: number }> {
  const context = { zone, now: NOW, earliest: null, goals };
  const query = normaliseQuery(parseReportRequest(body), { id: site }, context);
  const { groups, totalRows } = await inReadTransaction(pool, { site, timeoutMs: TIMEOUT_MS }, (client) =>
    groupsFromFacts(client, query, 'sessions_v1'),
  );
  return { rows: groups.map((group) => rowOf(query, group)), totalRows };
}

export const goal = (name: string, match: Partial<GoalMatch>, currency: string | null = null): Goal => ({
  id: name,
  name,
  match: { props: {}, ...match } as GoalMatch,
  currency,
});
