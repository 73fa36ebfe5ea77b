// POST /v1/sites/{site}/{report}/query, one for each report of the list: checks the key, asks the
// QueryBus, and writes the answer as JSON or CSV. Another merchant's site answers exactly as one that
// does not exist.
import {
  Body,
  Controller,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, requireReach, requireScope } from '../../auth/access.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Calling, CallerGuard, NeedsScope } from '../../auth/caller.guard.js';
import { LaterAnswers } from '../answering-later/later-answers.js';
import { tableToCsv } from '../csv.js';
import { incompleteHeader } from '../incomplete.js';
import { prefersAsync } from '../jobs/prefer.js';
import { sendTagged } from '../negotiation.js';
import type { Report } from './report-definition.js';
import { ApiReport } from '../query.openapi.js';
import { answerSchemaOf, requestSchemaOf } from './report.openapi.js';
import { RunDefinedReportQuery } from './run-defined-report.query.js';

export function reportController(report: Report): Type {
  @ApiTags('Query')
  @Controller(`v1/sites/:site/${report.name}/query`)
  @UseGuards(CallerGuard)
  class ReportController {
    constructor(
      @Inject(QueryBus) private readonly queries: QueryBus,
      @Inject(SiteDirectory) private readonly sites: SiteDirectory,
      @Inject(LaterAnswers) private readonly later: LaterAnswers,
    ) {}

    @Post()
    @HttpCode(200)
    @NeedsScope('stats:view')
    @ApiOperation({
      operationId: `${report.name}_query`,
      summary: report.summary,
      description: report.description,
    })
    @ApiReport({
      request: requestSchemaOf(report),
      examples: { ...report.examples },
      answer: answerSchemaOf(report),
    })
    async query(
      @Param('site') idOrDomain: string,
      @Body() body: unknown,
      @Calling() caller: Caller,
      @Headers() headers: Readonly<Record<string, string | undefined>>,
      @Res() reply: FastifyReply,
    ): Promise<void> {
      const site = requireReach(caller, this.sites.find(idOrDomain));
      if (prefersAsync(headers.prefer)) {
        requireScope(caller, 'stats:read');
        return this.later.report({ site, body, report, accept: headers.accept }, reply);
      }
      const { answer, etag, table } = await this.queries.execute(
        new RunDefinedReportQuery(report, site, body, Date.now()),
      );
      const csvHeaders = () => incompleteHeader(answer.meta);
      sendTagged(reply, headers, { etag, json: answer, csv: () => tableToCsv(table()), csvHeaders });
    }
  }
  return ReportController;
}
