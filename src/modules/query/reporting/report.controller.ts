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
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type KeyHolder, requireReach } from '../../auth/access.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Holder, KeyGuard, NeedsScope } from '../../auth/key.guard.js';
import { tableToCsv } from '../csv.js';
import { isKnown, prefersCsv } from '../negotiation.js';
import type { Report } from './report-definition.js';
import { answerSchemaOf, requestSchemaOf } from './report.openapi.js';
import { RunDefinedReportQuery } from './run-defined-report.query.js';

export function reportController(report: Report): Type {
  @ApiTags('Query')
  @Controller(`v1/sites/:site/${report.name}/query`)
  @UseGuards(KeyGuard)
  class ReportController {
    constructor(
      @Inject(QueryBus) private readonly queries: QueryBus,
      @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    ) {}

    @Post()
    @HttpCode(200)
    @NeedsScope('stats:read')
    @ApiOperation({
      operationId: `${report.name}_query`,
      summary: report.summary,
      description: report.description,
    })
    @ApiParam({ name: 'site', description: 'Id or domain of the site.', example: 'shop.example' })
    @ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'An ETag: 304 while the numbers are the same.',
    })
    @ApiHeader({ name: 'Accept', required: false, description: '`text/csv` gives CSV.' })
    @ApiBody({ schema: requestSchemaOf(report), examples: { ...report.examples } })
    @ApiResponse({
      status: 200,
      content: { 'application/json': { schema: answerSchemaOf(report) }, 'text/csv': {} },
    })
    @ApiResponse({ status: 304, description: 'The numbers are those of the ETag.' })
    @ApiResponse({
      status: 400,
      description: 'Unknown name or impossible combination; `errors` names the path.',
    })
    @ApiResponse({ status: 404, description: 'No such site, or not one the key may read.' })
    @ApiResponse({ status: 422, description: 'Too costly; `detail` says what to narrow.' })
    @ApiResponse({ status: 429, description: 'Too many requests in a minute; again after Retry-After.' })
    async query(
      @Param('site') idOrDomain: string,
      @Body() body: unknown,
      @Holder() holder: KeyHolder,
      @Headers() headers: Readonly<Record<string, string | undefined>>,
      @Res() reply: FastifyReply,
    ): Promise<void> {
      const site = requireReach(holder, this.sites.find(idOrDomain));
      const { answer, etag, table } = await this.queries.execute(
        new RunDefinedReportQuery(report, site, body, Date.now()),
      );
      void reply.headers({ etag, vary: 'accept', 'cache-control': 'private, no-cache' });
      if (isKnown(etag, headers['if-none-match'])) return void reply.status(304).send();
      if (!prefersCsv(headers.accept)) return void reply.send(answer);
      reply.header('content-type', 'text/csv; charset=utf-8').send(tableToCsv(table()));
    }
  }
  return ReportController;
}
