// One report, from a request to its answer: normalise → cache → plan → read → answer. The query
// side of the QueryBus: other wire formats send the same query and dress its answer differently.
import { createHash } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { Problem } from '../../http/problem.js';
import type { ServedProjection } from '../projections/read-models/serving.js';
import { refuseUnknownPatterns } from './facts/unknown-patterns.js';
import { Freshness, freshnessMetaOf, type ReadModelsState } from './freshness.js';
import { QueryTelemetry } from './query.telemetry.js';
import { inReadTransaction } from './read-transaction.js';
import type { Report, ReportMeta } from './report.js';
import { ReportCache } from './cache/report-cache.js';
import { SiteDefinitions } from './vocabulary/site-definitions.js';
import type { Range, RangeContext } from './request/date-range.js';
import {
  type Compared,
  echoOf,
  normaliseQuery,
  type ReportQuery,
  timestampsOf,
} from './request/report-query.js';
import type { ReportRequest } from './request/report-request.js';
import { withSegments } from './request/segments.js';
import { type ReportNumbers, readReport } from './sources/read-report.js';
import { ReportSources } from './sources/report-sources.js';
import { ESTIMATE_ERROR } from './sources/rollup.report.js';
import { SessionEstimates } from './sources/session-estimate.js';
import { SiteChanges } from './site-changes.js';
import { firstSessionOf } from './site-history.js';

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
export interface ComputedReport extends ReportNumbers {
  readonly digest: string;
  readonly bytes: number;
}

@QueryHandler(RunReportQuery)
export class RunReportHandler implements IQueryHandler<RunReportQuery> {
  private readonly estimates = new SessionEstimates();

  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'QUERY_TIMEOUT_MS' | 'QUERY_SESSIONS_MAX'>,
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(ReportCache) private readonly cache: ReportCache<ComputedReport>,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
    @Inject(SiteDefinitions) private readonly definitions: SiteDefinitions,
    @Inject(SiteChanges) private readonly changes: SiteChanges,
  ) {}

  async execute({ site, request, now }: RunReportQuery): Promise<Answer> {
    const startedMs = performance.now();
    try {
      const state = await this.freshness.of(site.id);
      const earliest = request.date_range === 'all' ? await firstSessionOf(this.pool, site.id, state) : null;
      const query = this.normalised(request, site, { zone: site.timezone, now, earliest });
      const key = cacheKeyOf(query, state, await this.changesOf(query, state));
      const { value, source } = await this.cache.get(
        key,
        () => this.compute(query, state),
        spanOf(query).to <= now ? 'lasting' : 'passing',
      );
      const seconds = (performance.now() - startedMs) / 1000;
      this.telemetry.answered(source === 'cache' ? 'cache' : value.source, seconds);
      return answerOf(query, value, state);
    } catch (error) {
      if (error instanceof Problem) this.telemetry.refused(error.options.status);
      throw error;
    }
  }

  private normalised(request: ReportRequest, site: ReportSite, context: RangeContext): ReportQuery {
    const resolved = withSegments(request, { site: site.id, definitions: this.definitions });
    return normaliseQuery(resolved, site, { ...context, goals: this.definitions.goalsOf(site.id) });
  }

  private changesOf(query: ReportQuery, state: ReadModelsState): Promise<string> {
    return this.changes.of(query.site, spanOf(query), state);
  }

  private async compute(query: ReportQuery, { projections }: ReadModelsState): Promise<ComputedReport> {
    const numbers = await inReadTransaction(this.pool, this.config.QUERY_TIMEOUT_MS, async (client) => {
      await refuseUnknownPatterns(client, query.filters);
      const sources = new ReportSources(client, {
        tables: { rollup: projections.traffic.table, facts: projections.sessions.table },
        ranges: [query.range, ...(query.compared === null ? [] : [query.compared.range])],
        sessionsMax: this.config.QUERY_SESSIONS_MAX,
        estimates: this.estimates,
      });
      return readReport(sources, query);
    });
    const text = JSON.stringify([numbers, echoOf(query)]);
    return {
      ...numbers,
      digest: createHash('sha256').update(text).digest('base64url').slice(0, 27),
      bytes: text.length * 2,
    };
  }
}

/** All days that the answer is about. */
function spanOf({ range, compared, metrics }: ReportQuery): Range {
  const ranges = compared === null ? [range] : [range, compared.range];
  // Whoever is new is so because of all that was before.
  const from = metrics.some((metric: string) => metric === 'new_visitors')
    ? 0
    : Math.min(...ranges.map(({ from }) => from));
  return { from, to: Math.max(...ranges.map(({ to }) => to)) };
}

function cacheKeyOf(query: ReportQuery, { version }: ReadModelsState, changes: string): string {
  const text = JSON.stringify([query.site, query.zone, echoOf(query), query.goals, version, changes]);
  return createHash('sha256').update(text).digest('base64');
}

function answerOf(query: ReportQuery, computed: ComputedReport, { projections }: ReadModelsState): Answer {
  const served: ServedProjection = computed.source === 'rollup' ? 'traffic' : 'sessions';
  const meta: ReportMeta = {
    ...freshnessMetaOf(projections[served]),
    sampled: computed.sample !== null,
    ...(computed.sample && { sample_rate: computed.sample.rate, sample_error: computed.sample.error }),
    source: computed.source,
    bots: query.include.bots ? 'included' : 'excluded',
    ...(computed.visitorsEstimated && { approximate: { visitors: ESTIMATE_ERROR } }),
    ...(Object.keys(computed.warnings).length > 0 && { metric_warnings: computed.warnings }),
    ...(query.include.timeLabels && { time_labels: query.buckets.labels }),
    ...(query.compared && comparedMeta(query, query.compared)),
    ...(computed.totals && { totals: computed.totals }),
    ...(query.include.totalRows && { total_rows: computed.totalRows }),
  };
  return {
    report: { results: computed.results, meta, query: echoOf(query) },
    etag: `W/"${computed.digest}"`,
  };
}

function comparedMeta(
  { zone, include }: ReportQuery,
  { range, buckets }: Compared,
): Pick<ReportMeta, 'comparison_date_range' | 'comparison_time_labels'> {
  return {
    comparison_date_range: timestampsOf(range, zone),
    ...(include.timeLabels && { comparison_time_labels: buckets.labels }),
  };
}
