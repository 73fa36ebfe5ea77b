// A site's realtime numbers, as everybody gets them: over the QueryBus for whoever polls, whatever the
// dialect. Read from the facts of the version that serves, under the time limit of any query.
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';
import type { Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import type { Excess } from '../../auth/quotas/excess.js';
import { Freshness, freshnessMetaOf } from '../freshness.js';
import { hiddenOf, incompleteIn, incompleteMeta } from '../incomplete.js';
import { inReadTransaction } from '../read-transaction.js';
import { numbersOf, type RealtimeRow, windowAt } from './realtime-report.js';
import { realtimeStatement } from './realtime-sql.js';
import { RealtimeTelemetry } from './realtime.telemetry.js';
import { type RealtimeReport, RealtimeSnapshots, type Snapshot } from './snapshots.js';

const TOO_COSTLY = 422;
const RETRY_AFTER_SECONDS = 10;

export class RealtimeQuery extends Query<Snapshot> {
  /** @param site id */
  constructor(readonly site: string) {
    super();
  }
}

@QueryHandler(RealtimeQuery)
export class RealtimeHandler implements IQueryHandler<RealtimeQuery> {
  constructor(@Inject(RealtimeSnapshots) private readonly snapshots: RealtimeSnapshots) {}

  execute({ site }: RealtimeQuery): Promise<Snapshot> {
    return this.snapshots.of(site);
  }
}

export interface RealtimeSource {
  readonly pool: Pool;
  readonly config: Pick<Config, 'QUERY_TIMEOUT_MS'>;
  readonly freshness: Freshness;
  readonly telemetry: RealtimeTelemetry;
  /** Times in which the site's merchant was over its quota. */
  readonly excessesOf: (site: string) => readonly Excess[];
}

/** For RealtimeSnapshots, which nobody should go around. */
export async function computeRealtime(source: RealtimeSource, site: string): Promise<RealtimeReport> {
  const startedMs = performance.now();
  try {
    const report = await read(source, site);
    source.telemetry.computed((performance.now() - startedMs) / 1000);
    return report;
  } catch (error) {
    source.telemetry.failed();
    // There is nothing in the request that could be narrowed.
    if (!(error instanceof Problem) || error.options.status !== TOO_COSTLY) throw error;
    throw Problem.unavailable('The numbers take too long at the moment.', RETRY_AFTER_SECONDS);
  }
}

async function read(
  { pool, config, freshness, excessesOf }: RealtimeSource,
  site: string,
): Promise<RealtimeReport> {
  const { sessions } = (await freshness.of(site)).projections;
  const window = windowAt(Date.now());
  const incomplete = incompleteIn(excessesOf(site), [{ from: window.from, to: window.now + 1 }]);
  const question = { site, window, table: sessions.table, hidden: hiddenOf(incomplete) };
  const { text, values } = realtimeStatement(question);
  const { rows } = await inReadTransaction(pool, { site, timeoutMs: config.QUERY_TIMEOUT_MS }, (client) =>
    client.query<RealtimeRow>(text, [...values]),
  );
  const at = new Date(window.now).toISOString();
  return {
    ...numbersOf(rows, window),
    meta: { at, ...freshnessMetaOf(sessions), ...incompleteMeta(incomplete) },
  };
}
