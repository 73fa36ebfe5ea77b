// One report of the list, from a body to its answer: parse → plan → cache → run. What the native query
// does with a table of metrics, for answers of any shape.
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { ReportCache } from '../cache/report-cache.js';
import { type Table } from '../csv.js';
import { cacheKeyOf, digestOf, etagOf } from '../digest.js';
import { refuseUnknownPatterns } from '../facts/unknown-patterns.js';
import { Freshness, type FreshnessMeta, freshnessMetaOf } from '../freshness.js';
import { type IncompleteMeta, incompleteMeta } from '../incomplete.js';
import { QueryTelemetry } from '../query.telemetry.js';
import { inReadTransaction } from '../read-transaction.js';
import { echoOf } from '../request/report-query.js';
import { SiteChanges } from '../site-changes.js';
import type { ReportSite } from '../site-questions.js';
import type { Report, Task } from './report-definition.js';
import { ReportPlanning } from './report-planning.js';

export interface DefinedAnswer {
  readonly answer: {
    readonly results: unknown;
    readonly meta: FreshnessMeta &
      IncompleteMeta & {
        readonly sampled: false;
        readonly source: 'facts';
        readonly bots: 'excluded' | 'included';
      };
    readonly query: object;
  };
  /** Equal for equal numbers: freshness alone does not change it. */
  readonly etag: string;
  readonly table: () => Table;
}

export class RunDefinedReportQuery extends Query<DefinedAnswer> {
  constructor(
    readonly report: Report,
    readonly site: ReportSite,
    /** As it arrived. */
    readonly body: unknown,
    /** Epoch milliseconds. */
    readonly now: number,
    /** In place of QUERY_TIMEOUT_MS, where nobody waits for the answer. */
    readonly timeoutMs?: number,
  ) {
    super();
  }
}

/** What is remembered: the numbers, not how fresh they are. */
interface ComputedResults {
  readonly results: unknown;
  readonly digest: string;
  readonly bytes: number;
}

type Asked = Omit<Task<unknown>, 'client'> & { readonly report: Report; readonly query: object };

@QueryHandler(RunDefinedReportQuery)
export class RunDefinedReportHandler implements IQueryHandler<RunDefinedReportQuery> {
  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'QUERY_TIMEOUT_MS'>,
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(ReportCache) private readonly cache: ReportCache<ComputedResults>,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
    @Inject(ReportPlanning) private readonly planning: ReportPlanning,
    @Inject(SiteChanges) private readonly changes: SiteChanges,
  ) {}

  async execute(query: RunDefinedReportQuery): Promise<DefinedAnswer> {
    const startedMs = performance.now();
    try {
      const { answer, source } = await this.answer(query);
      const seconds = (performance.now() - startedMs) / 1000;
      this.telemetry.answeredReport(query.report.name, { source, seconds });
      return answer;
    } catch (error) {
      if (error instanceof Problem) this.telemetry.refused(error.options.status);
      throw error;
    }
  }

  private async answer({ report, site, body, now, timeoutMs }: RunDefinedReportQuery) {
    const state = await this.freshness.of(site.id);
    const { selection, planned } = await this.planning.plan({ report, site, body, now }, state);
    const { date_range, filters, include } = echoOf(selection);
    const query = { date_range, filters, include: { bots: include.bots }, ...planned.echo };
    const serving = state.projections.sessions;
    const asked: Asked = { report, selection, query, plan: planned.plan, factsTable: serving.table };
    const changes = await this.changes.of(site.id, selection.range, state);
    const { value, source } = await this.cache.get(
      // Apart by time limit: who may take long must not share the fate of who may not.
      keyOf(asked, [state.version, changes, timeoutMs]),
      () => this.compute(asked, timeoutMs ?? this.config.QUERY_TIMEOUT_MS),
      selection.range.to <= now ? 'lasting' : 'passing',
    );
    const answer: DefinedAnswer = {
      answer: {
        results: value.results,
        meta: {
          ...freshnessMetaOf(serving),
          sampled: false,
          source: 'facts',
          bots: include.bots ? 'included' : 'excluded',
          ...incompleteMeta(selection.incomplete),
        },
        query,
      },
      etag: etagOf(value.digest),
      table: () => report.table(value.results),
    };
    return { answer, source: source === 'cache' ? ('cache' as const) : ('facts' as const) };
  }

  private async compute({ report, query, ...task }: Asked, timeoutMs: number): Promise<ComputedResults> {
    const { site } = task.selection;
    const results = await inReadTransaction(this.pool, { site, timeoutMs }, async (client) => {
      await refuseUnknownPatterns(client, task.selection.filters);
      return report.run({ client, ...task });
    });
    const text = JSON.stringify([report.name, results, query, task.selection.incomplete]);
    return {
      results,
      digest: digestOf(text),
      bytes: text.length * 2,
    };
  }
}

function keyOf(
  { report, selection, query, plan }: Asked,
  dependsOn: readonly [version: number, changes: string, timeoutMs: number | undefined],
): string {
  const { site, zone, goals, incomplete } = selection;
  return cacheKeyOf([report.name, site, zone, query, goals, plan, dependsOn, incomplete]);
}
