// Works on a question that was asked with `Prefer: respond-async`: puts it to the handler that answers at
// once, with more time, and keeps the bytes.
import type { QueryBus } from '@nestjs/cqrs';
import type { Config } from '../../../config/config.js';
import type { SiteDirectory } from '../../auth/directories/site.directory.js';
import { siteUnknown } from '../../auth/access.js';
import { tableToCsv, toCsv } from '../csv.js';
import type { IncompleteMeta } from '../incomplete.js';
import { JobLostError } from '../jobs/job-queue.js';
import type { JobTask, JobWork, WorkDone } from '../jobs/job-work.js';
import { CSV, JSON_TYPE } from '../negotiation.js';
import type { Report } from '../reporting/report-definition.js';
import { REPORTS } from '../reporting/report-list.js';
import { RunDefinedReportQuery } from '../reporting/run-defined-report.query.js';
import { parseReportRequest } from '../request/report-request.js';
import { RunReportQuery } from '../run-report.query.js';
import type { ReportSite } from '../site-questions.js';
import { type KeptQuestion, QUERY_KIND } from './later-answers.js';

export interface AnswerDeps {
  readonly queries: QueryBus;
  readonly sites: SiteDirectory;
  readonly config: Pick<Config, 'JOB_QUERY_TIMEOUT_MS'>;
}

interface Answered {
  readonly json: object;
  readonly csv: () => string;
  readonly rows: number;
  readonly incomplete: IncompleteMeta['incomplete'];
}

export class AnswerWork implements JobWork {
  readonly kinds = [QUERY_KIND, ...REPORTS.map(({ name }) => name)];

  constructor(private readonly deps: AnswerDeps) {}

  async run({ job, result, signal }: JobTask): Promise<WorkDone> {
    const question = JSON.parse(job.request) as KeptQuestion;
    const site = this.deps.sites.find(job.site);
    if (site === undefined) throw siteUnknown();
    const report = REPORTS.find(({ name }) => name === job.kind);
    const answered = await (report === undefined
      ? this.#query(site, question)
      : this.#report(report, site, question));
    if (signal.aborted) throw new JobLostError();
    const isCsv = question.form === 'csv';
    const bytes = Buffer.from(isCsv ? answered.csv() : JSON.stringify(answered.json));
    // Of one that was lost between its answer and its end.
    if (job.bytes > 0) await result.startAnew();
    await result.append(bytes, { rows: answered.rows, rowsExpected: answered.rows, share: 1 }, '');
    const { rows, incomplete } = answered;
    const about = incomplete === undefined ? null : JSON.stringify({ incomplete });
    return { contentType: isCsv ? CSV : JSON_TYPE, rows, about };
  }

  async #query(site: ReportSite, { asked, now }: KeptQuestion): Promise<Answered> {
    const { report } = await this.deps.queries.execute(
      new RunReportQuery(site, parseReportRequest(asked), now, this.deps.config.JOB_QUERY_TIMEOUT_MS),
    );
    const { incomplete } = report.meta;
    return { json: report, csv: () => toCsv(report), rows: report.results.length, incomplete };
  }

  async #report(report: Report, site: ReportSite, { asked, now }: KeptQuestion): Promise<Answered> {
    const { answer, table } = await this.deps.queries.execute(
      new RunDefinedReportQuery(report, site, asked, now, this.deps.config.JOB_QUERY_TIMEOUT_MS),
    );
    const { incomplete } = answer.meta;
    return { json: answer, csv: () => tableToCsv(table()), rows: table().rows.length, incomplete };
  }
}
