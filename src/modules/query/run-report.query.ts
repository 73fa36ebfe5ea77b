// One report, from a request to its answer: normalise → cache → plan → read → answer. The query
// side of the QueryBus: other wire formats send the same query and dress its answer differently.
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { Problem } from '../../http/problem.js';
import type { ServedProjection } from '../projections/read-models/serving.js';
import { refuseUnknownPatterns } from './facts/unknown-patterns.js';
import { cacheKeyOf, digestOf, etagOf } from './digest.js';
import { Freshness, freshnessMetaOf, type ReadModelsState } from './freshness.js';
import { QueryTelemetry } from './query.telemetry.js';
import { inReadTransaction } from './read-transaction.js';
import { remembered } from './remembered.js';
import type { Report, ReportMeta } from './report.js';
import { ReportCache } from './cache/report-cache.js';
import type { Range } from './request/date-range.js';
import { type Compared, echoOf, type ReportQuery, timestampsOf } from './request/report-query.js';
import type { ReportRequest } from './request/report-request.js';
import { type ReportNumbers, readReport } from './sources/read-report.js';
import { ReportSources } from './sources/report-sources.js';
import { KnownSettledTables } from './settled/settled-tables.js';
import { ESTIMATE_ERROR } from './sources/rollup.report.js';
import { SessionEstimates } from './sources/session-estimate.js';
import { SiteChanges } from './site-changes.js';
import { type ReportSite, SiteQuestions } from './site-questions.js';

export interface Answer {
  readonly report: Report;
  /** The same, as it goes over the wire. */
  readonly json: () => string;
  /** Equal for equal numbers: freshness alone does not change it. */
  readonly etag: string;
}

export class RunReportQuery extends Query<Answer> {
  constructor(
    readonly site: ReportSite,
    readonly request: ReportRequest,
    /** Epoch milliseconds. */
    readonly now: number,
    /** In place of QUERY_TIMEOUT_MS, where nobody waits for the answer. */
    readonly timeoutMs?: number,
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
  private readonly settledTables = new KnownSettledTables();

  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'QUERY_TIMEOUT_MS' | 'QUERY_SESSIONS_MAX'>,
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(ReportCache) private readonly cache: ReportCache<ComputedReport>,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
    @Inject(SiteQuestions) private readonly questions: SiteQuestions,
    @Inject(SiteChanges) private readonly changes: SiteChanges,
  ) {}

  async execute(asked: RunReportQuery): Promise<Answer> {
    const startedMs = performance.now();
    try {
      const state = await this.freshness.of(asked.site.id);
      const query = await this.questions.normalised(asked, state);
      const { site, zone, goals } = query;
      const changes = await this.changes.of(site, spanOf(query), state);
      const { timeoutMs } = asked;
      // Apart by time limit: who may take long must not share the fate of who may not.
      const key = cacheKeyOf([
        ...[site, zone, echoOf(query), goals, state.version, changes],
        ...(timeoutMs === undefined ? [] : [timeoutMs]),
      ]);
      const { value, source } = await this.cache.get(
        key,
        () => this.compute(query, state, timeoutMs ?? this.config.QUERY_TIMEOUT_MS),
        spanOf(query).to <= asked.now ? 'lasting' : 'passing',
      );
      const seconds = (performance.now() - startedMs) / 1000;
      this.telemetry.answered(source === 'cache' ? 'cache' : value.source, seconds);
      return answerOf(query, value, state);
    } catch (error) {
      if (error instanceof Problem) this.telemetry.refused(error.options.status);
      throw error;
    }
  }

  private async compute(
    query: ReportQuery,
    { projections, version }: ReadModelsState,
    timeoutMs: number,
  ): Promise<ComputedReport> {
    const numbers = await inReadTransaction(this.pool, { site: query.site, timeoutMs }, async (client) => {
      await refuseUnknownPatterns(client, query.filters);
      const sources = new ReportSources(client, {
        tables: { rollup: projections.traffic.table, facts: projections.sessions.table },
        ranges: [query.range, ...(query.compared === null ? [] : [query.compared.range])],
        sessionsMax: this.config.QUERY_SESSIONS_MAX,
        estimates: this.estimates,
        settled: await this.settledTables.of(client, version),
      });
      return readReport(sources, query);
    });
    const text = JSON.stringify([numbers, echoOf(query)]);
    return {
      ...numbers,
      digest: digestOf(text),
      // Of the values, and of the text that is kept beside them.
      bytes: text.length * 3,
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

function answerOf(query: ReportQuery, computed: ComputedReport, { projections }: ReadModelsState): Answer {
  const served: ServedProjection = computed.source === 'rollup' ? 'traffic' : 'sessions';
  const meta: ReportMeta = {
    ...freshnessMetaOf(projections[served]),
    sampled: computed.sample !== null,
    ...(computed.sample && { sample_rate: computed.sample.rate, sample_error: computed.sample.error }),
    source: computed.source,
    bots: query.include.bots ? 'included' : 'excluded',
    ...(computed.otherRow && { other_row: true as const }),
    ...(computed.visitorsEstimated && { approximate: { visitors: ESTIMATE_ERROR } }),
    ...(Object.keys(computed.warnings).length > 0 && { metric_warnings: computed.warnings }),
    ...(query.include.timeLabels && { time_labels: query.buckets.labels }),
    ...(query.compared && comparedMeta(query, query.compared)),
    ...(computed.totals && { totals: computed.totals }),
    ...(query.include.totalRows && { total_rows: computed.totalRows }),
  };
  const echo = echoOf(query);
  return {
    report: { results: computed.results, meta, query: echo },
    // The numbers of an answer that is known are said again and again: only how fresh they are is new.
    json: () =>
      `{"results":${textOf(computed.results)},"meta":${JSON.stringify(meta)},"query":${textOf(echo)}}`,
    etag: etagOf(computed.digest),
  };
}

/** Of what never changes. */
const textOf = remembered((value: object): string => JSON.stringify(value));

function comparedMeta(
  { zone, include }: ReportQuery,
  { range, buckets }: Compared,
): Pick<ReportMeta, 'comparison_date_range' | 'comparison_time_labels'> {
  return {
    comparison_date_range: timestampsOf(range, zone),
    ...(include.timeLabels && { comparison_time_labels: buckets.labels }),
  };
}
