// `Prefer: respond-async`: the same question, checked as always, as a job. What it answers, once it is done,
// are the bytes that the client would have been answered at once.
import type { FastifyReply } from 'fastify';
import type { Site } from '../../auth/directories/site.directory.js';
import type { Freshness } from '../freshness.js';
import { acceptJob } from '../jobs/accept-job.js';
import type { Submissions } from '../jobs/submissions.js';
import { prefersCsv } from '../negotiation.js';
import type { Report } from '../reporting/report-definition.js';
import type { ReportPlanning } from '../reporting/report-planning.js';
import type { ReportRequest } from '../request/report-request.js';
import type { SiteQuestions } from '../site-questions.js';

export const QUERY_KIND = 'query';

/** What a job keeps of a question. */
export interface KeptQuestion {
  /** As it arrived. */
  readonly asked: unknown;
  /** Epoch milliseconds: what "today" is. */
  readonly now: number;
  readonly form: 'json' | 'csv';
}

interface Question {
  readonly site: Site;
  readonly body: unknown;
  readonly accept: string | undefined;
}

export interface LaterAnswersDeps {
  readonly submissions: Submissions;
  readonly freshness: Freshness;
  readonly questions: SiteQuestions;
  readonly planning: ReportPlanning;
}

export class LaterAnswers {
  constructor(private readonly deps: LaterAnswersDeps) {}

  /** @throws Problem for what would be refused at once, too, and where there are too many jobs already */
  async query(question: Question & { readonly request: ReportRequest }, reply: FastifyReply): Promise<void> {
    const { site, request } = question;
    const now = Date.now();
    await this.deps.questions.normalised({ site, request, now }, await this.deps.freshness.of(site.id));
    await this.#submit(QUERY_KIND, question, { reply, now });
  }

  /** @throws Problem as above */
  async report(question: Question & { readonly report: Report }, reply: FastifyReply): Promise<void> {
    const { site, report, body } = question;
    const now = Date.now();
    await this.deps.planning.plan({ report, site, body, now }, await this.deps.freshness.of(site.id));
    await this.#submit(report.name, question, { reply, now });
  }

  async #submit(
    kind: string,
    { site, body, accept }: Question,
    { reply, now }: { readonly reply: FastifyReply; readonly now: number },
  ): Promise<void> {
    const request: KeptQuestion = { asked: body, now, form: prefersCsv(accept) ? 'csv' : 'json' };
    const { id, merchant } = site;
    const job = await this.deps.submissions.submit({ site: id, merchant, kind, request });
    void reply.send(acceptJob(reply, job, { isPreferred: true }));
  }
}
