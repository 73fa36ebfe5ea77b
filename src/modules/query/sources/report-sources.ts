// Reads what the planner decided, in one snapshot: each question of an answer (its rows, what they are
// compared with, the totals) from the rollup where that can, else from the facts; of the facts a sample
// of the visitors where there are more sessions than one query may look at, the same for all of them.
import type { ClientBase } from 'pg';
import type { FactsQuery } from '../facts/facts-query.js';
import { groupsFromFacts } from '../facts/facts.report.js';
import type { Groups } from '../report.js';
import type { Range } from '../request/date-range.js';
import type { ReportQuery } from '../request/report-query.js';
import { planReport } from './planner.js';
import { groupsFromRollup } from './rollup.report.js';
import { sampledSteps, sampleError, sampleRate, scaled } from './sampling.js';
import type { SessionEstimates } from './session-estimate.js';

export interface Sample {
  readonly rate: number;
  readonly error: number;
}

export interface SourcedGroups extends Groups {
  readonly source: 'rollup' | 'facts';
  readonly visitorsEstimated: boolean;
  readonly sample: Sample | null;
}

export interface ReportSourcesOptions {
  /** Of the version that answers for the site. */
  readonly tables: { readonly rollup: string; readonly facts: string };
  /** All that are asked about: the longest decides whether to sample. */
  readonly ranges: readonly Range[];
  readonly sessionsMax: number;
  readonly estimates: SessionEstimates;
}

export class ReportSources {
  #steps: Promise<number | null> | undefined;

  constructor(
    private readonly client: ClientBase,
    private readonly options: ReportSourcesOptions,
  ) {}

  async groupsOf(query: FactsQuery): Promise<SourcedGroups> {
    const { tables, sessionsMax } = this.options;
    if (planReport(query).source === 'rollup') {
      const rollup = await groupsFromRollup(this.client, query, { table: tables.rollup, sessionsMax });
      if (rollup.outcome === 'answered') {
        const { groups, visitorsEstimated } = rollup;
        return { ...groups, source: 'rollup', visitorsEstimated, sample: null };
      }
    }
    const steps = await (this.#steps ??= this.#sampledSteps(query));
    const facts = { source: 'facts', visitorsEstimated: false } as const;
    if (steps === null) {
      return { ...(await groupsFromFacts(this.client, query, tables.facts)), ...facts, sample: null };
    }
    // The error is stated of visitors, whether they are asked for or not.
    const metrics = query.metrics.includes('visitors')
      ? query.metrics
      : ([...query.metrics, 'visitors'] as const);
    const sampledQuery = { ...query, metrics, sampledSteps: steps };
    const { groups, totalRows } = await groupsFromFacts(this.client, sampledQuery, tables.facts);
    const rate = sampleRate(steps);
    return {
      groups: groups.map((group) => scaled(group, rate)),
      totalRows,
      ...facts,
      sample: { rate, error: sampleError(groups, rate) },
    };
  }

  async #sampledSteps({ site }: ReportQuery): Promise<number | null> {
    const { ranges, tables, sessionsMax, estimates } = this.options;
    let most = 0;
    for (const range of ranges) {
      most = Math.max(most, await estimates.of(this.client, { site, range, table: tables.rollup }));
    }
    return sampledSteps(most, sessionsMax);
  }
}
