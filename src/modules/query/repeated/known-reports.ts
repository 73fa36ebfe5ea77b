// Answers a request again that was answered before, from what is kept, if nothing has changed that its answer
// depends on; else it is for RunReportHandler, whose key and whose lookups these are.
import { Inject, Injectable } from '@nestjs/common';
import { ReportCache } from '../cache/report-cache.js';
import { Freshness } from '../freshness.js';
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
  async again(known: KnownReport, site: ReportSite, now: number): Promise<Answer | undefined> {
    const startedMs = performance.now();
    if (!this.questions.stands(known, { site, now })) return undefined;
    const state = await this.freshness.of(site.id);
    if (state.version !== known.version) return undefined;
    if ((await this.changes.of(site.id, known.span, state)) !== known.changes) return undefined;
    const text = this.cache.find(known.key);
    const found = text instanceof Promise ? await text : text;
    // What a sample depends on besides is the handler's to ask.
    if (found === undefined || found.settledThen !== null) return undefined;
    this.telemetry.answered('cache', (performance.now() - startedMs) / 1000);
    return answerOf(found, state);
  }
}
