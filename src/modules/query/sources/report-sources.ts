// Reads what the planner decided, in one snapshot: each question of an answer (its rows, what they are
// compared with, the totals) from the rollup or from settled days where these can, else from the facts; of the
// facts a sample of the visitors where there are more sessions than one query may look at, the same for all.
import type { ClientBase } from 'pg';
import type { FactsQuery } from '../facts/facts-query.js';
import { groupsFromFacts } from '../facts/facts.report.js';
import type { AnswerSource, Groups } from '../report.js';
import type { Range } from '../request/date-range.js';
import { groupsFromSettledDays } from '../settled/settled.report.js';
import type { SettledTables } from '../settled/settled-tables.js';
import { countersOf } from '../vocabulary/metrics.js';
import { planReport } from './planner.js';
import { groupsFromRollup } from './rollup.report.js';
import { sampledSteps, sampleError, sampleRate, scaled } from './sampling.js';
import type { SessionEstimates } from './session-estimate.js';

export interface Sample {
  readonly rate: number;
  readonly error: number;
}

/** What is to be known about an answer's numbers, those compared with and the totals included. */
export interface Caveats {
  readonly visitorsEstimated: boolean;
  readonly sample: Sample | null;
  /** Some row stands for rare values. */
  readonly otherRow: boolean;
}

export interface SourcedGroups extends Groups {
  readonly source: AnswerSource;
}

export interface ReportSourcesOptions {
  /** Of the version that answers for the site. */
  readonly tables: { readonly rollup: string; readonly facts: string };
  /** All that are asked about: the longest decides whether to sample. */
  readonly ranges: readonly Range[];
  readonly sessionsMax: number;
  readonly estimates: SessionEstimates;
  /** Null: nothing was settled yet. */
  readonly settled: SettledTables | null;
}

export class ReportSources {
  #steps: Promise<number | null> | undefined;
  #caveats: Caveats = { visitorsEstimated: false, sample: null, otherRow: false };

  constructor(
    private readonly client: ClientBase,
    private readonly options: ReportSourcesOptions,
  ) {}

  /** Of all that was answered so far. */
  get caveats(): Caveats {
    return this.#caveats;
  }

  async groupsOf(query: FactsQuery): Promise<SourcedGroups> {
    const rolledUp = planReport(query).source === 'rollup';
    // Where nobody has to be told apart, hours are as quickly added up as days.
    const settled =
      rolledUp && !countersOf(query.metrics).has('visitors') ? null : await this.#fromSettledDays(query);
    return settled ?? (rolledUp ? await this.#fromRollup(query) : null) ?? (await this.#fromFacts(query));
  }

  async #fromSettledDays(query: FactsQuery): Promise<SourcedGroups | null> {
    const { tables, sessionsMax, settled } = this.options;
    if (settled === null) return null;
    const source = {
      client: this.client,
      tables: settled,
      facts: tables.facts,
      sessionsMax,
      sessionsIn: (range: Range) => this.#sessionsIn(query.site, range),
      sampled: async () => (await this.#sampled(query)) !== null,
    };
    const answer = await groupsFromSettledDays(source, query);
    if (answer === null) return null;
    this.#note(answer);
    return { ...answer.groups, source: 'settled' };
  }

  async #fromRollup(query: FactsQuery): Promise<SourcedGroups | null> {
    const { tables, sessionsMax } = this.options;
    const rollup = await groupsFromRollup(this.client, query, { table: tables.rollup, sessionsMax });
    if (rollup.outcome !== 'answered') return null;
    this.#note(rollup);
    return { ...rollup.groups, source: 'rollup' };
  }

  async #fromFacts(query: FactsQuery): Promise<SourcedGroups> {
    const { tables } = this.options;
    const steps = await this.#sampled(query);
    if (steps === null) {
      return { ...(await groupsFromFacts(this.client, query, tables.facts)), source: 'facts' };
    }
    // The error is stated of visitors, whether they are asked for or not.
    const metrics = query.metrics.includes('visitors')
      ? query.metrics
      : ([...query.metrics, 'visitors'] as const);
    const sampledQuery = { ...query, metrics, sampledSteps: steps };
    const { groups, totalRows } = await groupsFromFacts(this.client, sampledQuery, tables.facts);
    const rate = sampleRate(steps);
    this.#note({ sample: { rate, error: sampleError(groups, rate) } });
    return { groups: groups.map((group) => scaled(group, rate)), totalRows, source: 'facts' };
  }

  /** What was said first of a sample is said of the rows. */
  #note({ visitorsEstimated = false, otherRow = false, sample = null }: Partial<Caveats>): void {
    const known = this.#caveats;
    this.#caveats = {
      visitorsEstimated: known.visitorsEstimated || visitorsEstimated,
      otherRow: known.otherRow || otherRow,
      sample: known.sample ?? sample,
    };
  }

  #sampled({ site }: FactsQuery): Promise<number | null> {
    return (this.#steps ??= this.#sampledSteps(site));
  }

  async #sampledSteps(site: string): Promise<number | null> {
    let most = 0;
    for (const range of this.options.ranges) most = Math.max(most, await this.#sessionsIn(site, range));
    return sampledSteps(most, this.options.sessionsMax);
  }

  #sessionsIn(site: string, range: Range): Promise<number> {
    const { tables, estimates } = this.options;
    return estimates.of(this.client, { site, range, table: tables.rollup });
  }
}
