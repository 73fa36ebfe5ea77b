// Answers a request again that was answered before, from what is kept, if nothing has changed that its answer
// depends on; else it is for RunReportHandler, whose key and whose lookups these are. Without a promise as long as
// nobody has to be asked.
import { Inject, Injectable } from '@nestjs/common';
import { ReportCache } from '../cache/report-cache.js';
import { Freshness, type ReadModelsState } from '../freshness.js';
import { QueryTelemetry } from '../query.telemetry.js';
import { type Answer, answerOf, type ReportText } from '../report-text.js';
import type { Range } from '../request/date-range.js';
import { SiteChanges } from '../site-changes.js';
import { type ReportSite, SiteQuestions, type Standing } from '../site-questions.js';

export interface KnownReport extends Standing {
  /** Of the read models that answered. */
  readonly version: number;
  /** All days that the answer is about, and what had changed of them. */
  readonly span: Range;
  readonly changes: string;
  /** Of the answer, in caches. */
  readonly key: string;
}

type Found = Answer | undefined;

@Injectable()
export class KnownReports {
  constructor(
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(ReportCache) private readonly cache: ReportCache<ReportText>,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
    @Inject(SiteQuestions) private readonly questions: SiteQuestions,
    @Inject(SiteChanges) private readonly changes: SiteChanges,
  ) {}

  /** Undefined: something has changed, or the answer is not kept. */
  again(known: KnownReport, site: ReportSite, now: number): Found | Promise<Found> {
    if (!this.questions.stands(known, { site, now })) return undefined;
    const startedMs = performance.now();
    const state = this.freshness.known(site.id);
    const changes = state && this.changes.known(site.id, known.span, state);
    if (changes === undefined) return this.#ask(known, site, startedMs);
    return this.#find(known, { state: state!, changes, startedMs });
  }

  async #ask(known: KnownReport, site: ReportSite, startedMs: number): Promise<Found> {
    const state = await this.freshness.of(site.id);
    const changes = await this.changes.of(site.id, known.span, state);
    return this.#find(known, { state, changes, startedMs });
  }

  #find(known: KnownReport, at: Moment): Found | Promise<Found> {
    if (at.state.version !== known.version || at.changes !== known.changes) return undefined;
    const text = this.cache.find(known.key);
    return text instanceof Promise ? text.then((found) => this.#answer(found, at)) : this.#answer(text, at);
  }

  #answer(found: ReportText | undefined, { state, startedMs }: Moment): Found {
    // What a sample depends on besides is the handler's to ask.
    if (found === undefined || found.settledThen !== null) return undefined;
    this.telemetry.answered('cache', (performance.now() - startedMs) / 1000);
    return answerOf(found, state);
  }
}

/** What is so now. */
interface Moment {
  readonly state: ReadModelsState;
  readonly changes: string;
  readonly startedMs: number;
}
