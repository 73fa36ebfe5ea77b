// POST /v1/sites/{site}/query: checks the key and the request, asks the QueryBus, and writes the
// answer as JSON or CSV. Another merchant's site answers exactly as one that does not exist.
import {
  Body,
  Controller,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { AnswersEarly } from '../../http/route-kind.js';
import { type Caller, requireReach, requireScope } from '../auth/access.js';
import { SiteDirectory } from '../auth/directories/site.directory.js';
import { Calling, CallerGuard, NeedsScope } from '../auth/caller.guard.js';
import { LaterAnswers } from './answering-later/later-answers.js';
import { prefersAsync } from './jobs/prefer.js';
import { sendTagged } from './negotiation.js';
import { csvOf } from './report-csv.js';
import { ApiReport, QUERY_EXAMPLES, QUERY_SCHEMA, REPORT_SCHEMA } from './query.openapi.js';
import { QueryTelemetry } from './query.telemetry.js';
import { QUERY_SCOPE, REPEATED_QUESTIONS, RepeatedQuestions } from './repeated/repeated-questions.js';
import { parseReportRequest, type ReportRequest } from './request/report-request.js';
import { RunReportQuery } from './run-report.query.js';

@ApiTags('Query')
@Controller('v1/sites/:site/query')
@UseGuards(CallerGuard)
export class QueryController {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    @Inject(QueryTelemetry) private readonly telemetry: QueryTelemetry,
    @Inject(LaterAnswers) private readonly later: LaterAnswers,
    @Inject(RepeatedQuestions) private readonly repeated: RepeatedQuestions,
  ) {}

  @Post()
  @HttpCode(200)
  @NeedsScope(QUERY_SCOPE)
  @AnswersEarly(REPEATED_QUESTIONS)
  @ApiOperation({
    summary: 'Ask for metrics of a site',
    description:
      "Metrics over a date range in the site's time zone, grouped by dimensions and filtered. Sessions that look like bots are left out unless `include.bots` is true or `visit:bot` is used. `meta` says how fresh the numbers are and where they came from; `query` is the request in its complete form.",
  })
  @ApiReport({ request: QUERY_SCHEMA, examples: QUERY_EXAMPLES, answer: REPORT_SCHEMA })
  async query(
    @Param('site') idOrDomain: string,
    @Body() body: unknown,
    @Calling() caller: Caller,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Req() { raw }: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const site = requireReach(caller, this.sites.find(idOrDomain));
    const request = this.parse(body);
    if (prefersAsync(headers.prefer)) {
      requireScope(caller, 'stats:read');
      return this.later.query({ site, body, request, accept: headers.accept }, reply);
    }
    const asked = new RunReportQuery(site, request, Date.now());
    const answer = await this.queries.execute(asked);
    const { json, etag, known } = answer;
    if (known !== null && raw.bodyText !== undefined) {
      this.repeated.remember({ request: raw, text: raw.bodyText }, { site: idOrDomain, report: known });
    }
    sendTagged(reply, headers, { etag, json, ...csvOf(answer) });
  }

  private parse(body: unknown): ReportRequest {
    try {
      return parseReportRequest(body);
    } catch (error) {
      if (error instanceof Problem) this.telemetry.refused(error.options.status);
      throw error;
    }
  }
}
