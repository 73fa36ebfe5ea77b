// One report, from a request to its answer: normalise → cache → plan → read → answer. The query
// side of the QueryBus: other wire formats send the same query and dress its answer differently.
import { createHash } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool, type PoolClient } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { Problem } from '../../http/problem.js';
import type { ServedProjection } from '../projections/read-models/serving.js';
import { patternsOfTree } from './filters.js';
import { Freshness, type ReadModelsState } from './freshness.js';
import { planReport } from './planner.js';
import { QueryTelemetry } from './query.telemetry.js';
import { inReadTransaction } from './read-transaction.js';
import { type Report, type ReportMeta, type ReportRow, rowOf } from './report.js';
import { ReportCache } from './report-cache.js';
import { echoOf, normaliseQuery, type ReportQuery } from './report-query.js';
import type { ReportRequest } from './report-request.js';
import { groupsFromFacts } from './reports/facts.report.js';
import { ESTIMATE_ERROR, groupsFromRollup } from './reports/rollup.report.js';
import { firstSessionOf } from './site-history.js';

const INVALID_REGULAR_EXPRESSION = '2201B';

export interface ReportSite {
  readonly id: string;
  /** IANA name. */
  readonly timezone: string;
}

export interface Answer {
  readonly report: Report;
  /** Equal for equal numbers: freshness alone does not change it. */
  readonly etag: string;
}

export class RunReportQuery extends Query<Answer> {
  constructor(
    readonly site: ReportSite,
    readonly request: ReportRequest,
    /** Epoch milliseconds. */
    readonly now: number,
  ) {
    super();
  }
}

/** What is remembered: the numbers, not how fresh they are. */
export interface ComputedReport {
  readonly results: readonly ReportRow[];
  readonly source: 'rollup' | 'facts';
  readonly visitorsEstimated: boolean;
  readonly totalRows: number;
  readonly digest: string;
  readonly bytes: number;
}

@QueryHandler(RunReportQuery)
export class RunReportHandler implements IQueryHandler<RunReportQuery> {
  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'QUERY_TIMEOUT_MS'>,
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(ReportCache) private readonly cache: ReportCache<ComputedReport>,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
  ) {}

  async execute({ site, request, now }: RunReportQuery): Promise<Answer> {
    const startedMs = performance.now();
    try {
      const state = await this.freshness.of(site.id);
      const earliest = request.date_range === 'all' ? await firstSessionOf(this.pool, site.id, state) : null;
      const query = normaliseQuery(request, site, { zone: site.timezone, now, earliest });
      const key = cacheKeyOf(query, state);
      const { value, source } = await this.cache.get(key, () => this.compute(query, state));
      const seconds = (performance.now() - startedMs) / 1000;
      this.telemetry.answered(source === 'cache' ? 'cache' : value.source, seconds);
      return answerOf(query, value, state);
    } catch (error) {
      if (error instanceof Problem) this.telemetry.refused(error.options.status);
      throw error;
    }
  }

  private async compute(query: ReportQuery, state: ReadModelsState): Promise<ComputedReport> {
    const { groups, source, visitorsEstimated, totalRows } = await inReadTransaction(
      this.pool,
      this.config.QUERY_TIMEOUT_MS,
      (client) => readGroups(client, query, state),
    );
    const results = groups.map((group) => rowOf(query, group));
    const text = JSON.stringify([results, source, totalRows, echoOf(query)]);
    return {
      results,
      source,
      visitorsEstimated,
      totalRows,
      digest: createHash('sha256').update(text).digest('base64url').slice(0, 27),
      bytes: text.length * 2,
    };
  }
}

async function readGroups(client: PoolClient, query: ReportQuery, { projections }: ReadModelsState) {
  await refuseUnknownPatterns(client, query);
  if (planReport(query).source === 'rollup') {
    const rollup = await groupsFromRollup(client, query, projections.traffic.table);
    if (rollup.outcome === 'answered') {
      return { ...rollup.groups, source: 'rollup' as const, visitorsEstimated: rollup.visitorsEstimated };
    }
  }
  const facts = await groupsFromFacts(client, query, projections.sessions.table);
  return { ...facts, source: 'facts' as const, visitorsEstimated: false };
}

/** PostgreSQL would notice a malformed pattern only once a row reaches it. */
async function refuseUnknownPatterns(client: PoolClient, { filters }: ReportQuery): Promise<void> {
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

function cacheKeyOf(query: ReportQuery, { fingerprint }: ReadModelsState): string {
  const text = JSON.stringify([query.site, query.zone, echoOf(query), fingerprint]);
  return createHash('sha256').update(text).digest('base64');
}

function answerOf(query: ReportQuery, computed: ComputedReport, { projections }: ReadModelsState): Answer {
  const served: ServedProjection = computed.source === 'rollup' ? 'traffic' : 'sessions';
  const { label, watermark } = projections[served];
  const meta: ReportMeta = {
    watermark: watermark?.toISOString() ?? null,
    lag_ms: watermark === null ? null : Math.max(0, Date.now() - watermark.getTime()),
    projection: label,
    sampled: false,
    source: computed.source,
    bots: query.include.bots ? 'included' : 'excluded',
    ...(computed.visitorsEstimated && { approximate: { visitors: ESTIMATE_ERROR } }),
    ...(query.include.timeLabels && { time_labels: query.buckets.labels }),
    ...(query.include.totalRows && { total_rows: computed.totalRows }),
  };
  return {
    report: { results: computed.results, meta, query: echoOf(query) },
    etag: `W/"${computed.digest}"`,
  };
}
