// What the query side measures: how long answers took by where they came from, and what was refused.
import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { TalliedHistogram } from '../../telemetry/tallied-histogram.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { AnswerSource } from './report.js';

type AnsweredFrom = AnswerSource | 'cache';

/** What asking Redis for an answer came to; `ignored`: what it held was not what had been put there. */
export type SharedCacheOutcome =
  'hit' | 'hit-after-waiting' | 'miss' | 'waited-in-vain' | 'ignored' | 'unavailable';

@Injectable()
export class QueryTelemetry {
  readonly #seconds: TalliedHistogram;
  readonly #reportSeconds: Histogram<'report' | 'source'>;
  readonly #refusals: Counter<'status'>;
  /** Since they were last read. */
  readonly #sharedLookups = new Map<SharedCacheOutcome, number>();

  constructor(telemetry: Telemetry) {
    this.#seconds = new TalliedHistogram(telemetry.registry, {
      name: 'tidemark_query_answer_seconds',
      help: 'Time to answer a query, by where the numbers came from.',
      boundsSeconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    });
    this.#reportSeconds = new Histogram({
      name: 'tidemark_query_report_seconds',
      help: 'Time to answer funnels, retention, journeys and the like, by report and by where the numbers came from.',
      labelNames: ['report', 'source'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [telemetry.registry],
    });
    this.#refusals = new Counter({
      name: 'tidemark_query_refusals_total',
      help: 'Queries refused, by HTTP status: 400 makes no sense, 422 costs too much.',
      labelNames: ['status'],
      registers: [telemetry.registry],
    });
    const sharedLookups = this.#sharedLookups;
    new Counter({
      name: 'tidemark_query_shared_cache_lookups_total',
      help: 'Answers looked for in Redis because this process did not have them, by what came of it.',
      labelNames: ['outcome'],
      registers: [telemetry.registry],
      collect() {
        for (const [outcome, lookups] of sharedLookups) this.inc({ outcome }, lookups);
        sharedLookups.clear();
      },
    });
  }

  answered(source: AnsweredFrom, seconds: number): void {
    this.#seconds.of(source, () => ({ source })).observe(seconds);
  }

  answeredReport(report: string, of: { readonly source: AnsweredFrom; readonly seconds: number }): void {
    this.#reportSeconds.observe({ report, source: of.source }, of.seconds);
  }

  refused(status: number): void {
    this.#refusals.inc({ status: String(status) });
  }

  lookedUp(outcome: SharedCacheOutcome): void {
    this.#sharedLookups.set(outcome, (this.#sharedLookups.get(outcome) ?? 0) + 1);
  }
}
