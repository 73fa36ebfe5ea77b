// From the body of a report's request to what is to be computed: whatever a client can get wrong is found out
// here, before anything is read, whether the client waits for the answer or not.
import { Inject, Injectable } from '@nestjs/common';
import type { ReadModelsState } from '../freshness.js';
import { type ReportSite, SiteQuestions } from '../site-questions.js';
import { SiteDefinitions } from '../vocabulary/site-definitions.js';
import { parseReport, type Planned, type Report, type Selection } from './report-definition.js';

export interface AskedReport {
  readonly report: Report;
  readonly site: ReportSite;
  /** As it arrived. */
  readonly body: unknown;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface PlannedReport {
  readonly selection: Selection;
  readonly planned: Planned<unknown>;
}

@Injectable()
export class ReportPlanning {
  constructor(
    @Inject(SiteDefinitions) private readonly definitions: SiteDefinitions,
    @Inject(SiteQuestions) private readonly questions: SiteQuestions,
  ) {}

  /** @throws Problem 400 or 422 naming the path */
  async plan({ report, site, body, now }: AskedReport, state: ReadModelsState): Promise<PlannedReport> {
    const { definitions } = this;
    const { selection: request, parameters } = parseReport(report, body);
    const selection = await this.questions.normalised({ site, request, now }, state);
    return { selection, planned: report.plan(parameters, { selection, definitions }) };
  }
}
