// One report, from a request to its answer: normalise → cache → plan → read → answer. The query
// side of the QueryBus: other wire formats send the same query and dress its answer differently.
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { Problem } from '../../http/problem.js';
import { type CachedReport, ReportCache } from './cache/report-cache.js';
import { cacheKeyOf } from './digest.js';
import { refuseUnknownPatterns } from './facts/unknown-patterns.js';
import { Freshness, type ReadModelsState } from './freshness.js';
import { QueryTelemetry } from './query.telemetry.js';
import { inReadTransaction } from './read-transaction.js';
import type { KnownReport } from './repeated/known-reports.js';
import { type Answer, answerOf, type ReportText, reportTextOf } from './report-text.js';
import type { Range } from './request/date-range.js';
import { echoOf, type ReportQuery } from './request/report-query.js';
import type { ReportRequest } from './request/report-request.js';
import { SettledSince } from './settled/settled-since.js';
import { readReport } from './sources/read-report.js';
import { ReportSources } from './sources/report-sources.js';
import { SessionEstimates } from './sources/session-estimate.js';
import { SiteChanges } from './site-changes.js';
import { type ReportSite, SiteQuestions } from './site-questions.js';

export interface RunAnswer extends Answer {
  /** By which the same request is answered again; null: it may ask something else the next time. */
  readonly known: KnownReport | null;
}

export class RunReportQuery extends Query<RunAnswer> {
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

interface Task {
  readonly asked: RunReportQuery;
  readonly query: ReportQuery;
  /** All days that the answer is about. */
  readonly span: Range;
  readonly state: ReadModelsState;
}

@QueryHandler(RunReportQuery)
export class RunReportHandler implements IQueryHandler<RunReportQuery> {
  private readonly estimates = new SessionEstimates();
  private readonly settled = new SettledSince();

  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'QUERY_TIMEOUT_MS' | 'QUERY_SESSIONS_MAX'>,
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(ReportCache) private readonly cache: ReportCache<ReportText>,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
    @Inject(SiteQuestions) private readonly questions: SiteQuestions,
    @Inject(SiteChanges) private readonly changes: SiteChanges,
  ) {}

  async execute(asked: RunReportQuery): Promise<RunAnswer> {
    const startedMs = performance.now();
    try {
      // Before anything is looked at: what changes meanwhile must not be taken for known.
      const standing = asked.timeoutMs === undefined ? this.questions.standingOf(asked) : null;
      const state = await this.freshness.of(asked.site.id);
      const query = await this.questions.normalised(asked, state);
      const { site, zone, goals } = query;
      const span = spanOf(query);
      const changes = await this.changes.of(site, span, state);
      const { timeoutMs } = asked;
      // Apart by time limit: who may take long must not share the fate of who may not.
      const key = cacheKeyOf([
        ...[site, zone, echoOf(query), goals, state.version, changes],
        ...(timeoutMs === undefined ? [] : [timeoutMs]),
        ...(query.incomplete === undefined ? [] : [query.incomplete]),
      ]);
      const { value, source } = await this.remembered({ asked, query, span, state }, key);
      const seconds = (performance.now() - startedMs) / 1000;
      this.telemetry.answered(source === 'cache' ? 'cache' : value.source, seconds);
      const known = standing && { ...standing, version: state.version, span, changes, key };
      return Object.defineProperty(answerOf(value, state), 'known', { value: known }) as RunAnswer;
    } catch (error) {
      if (error instanceof Problem) this.telemetry.refused(error.options.status);
      throw error;
    }
  }

  /** A sample, only while no more is settled than when it was taken: settled days might answer better. */
  private async remembered(task: Task, key: string): Promise<CachedReport<ReportText>> {
    const { asked, query, span, state } = task;
    const durability = span.to <= asked.now ? 'lasting' : 'passing';
    const compute = () => this.compute(task, asked.timeoutMs ?? this.config.QUERY_TIMEOUT_MS);
    const found = await this.cache.get(key, compute, durability);
    if (found.value.settledThen === null || found.source === 'computed') return found;
    const settled = await this.settled.now(this.pool, { site: query.site, span, version: state.version });
    if (settled === found.value.settledThen) return found;
    return this.cache.get(cacheKeyOf([key, settled]), compute, durability);
  }

  private async compute({ query, span, state }: Task, timeoutMs: number): Promise<ReportText> {
    const { projections, version } = state;
    return inReadTransaction(this.pool, { site: query.site, timeoutMs }, async (client) => {
      await refuseUnknownPatterns(client, query.filters);
      const sources = new ReportSources(client, {
        tables: { rollup: projections.traffic.table, facts: projections.sessions.table },
        ranges: [query.range, ...(query.compared === null ? [] : [query.compared.range])],
        sessionsMax: this.config.QUERY_SESSIONS_MAX,
        estimates: this.estimates,
        settled: await this.settled.tablesOf(client, version),
      });
      const numbers = await readReport(sources, query);
      const sampled = numbers.sample !== null;
      const days = { site: query.site, span, version };
      return reportTextOf(query, numbers, sampled ? await this.settled.of(client, days) : null);
    });
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
