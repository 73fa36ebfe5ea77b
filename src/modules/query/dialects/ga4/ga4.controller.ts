// The Google Analytics Data API, v1beta, over REST: checks the key, finds the site behind the property,
// has the report planned and run, and frames it. A property that a key may not see answers exactly as
// one that does not exist, as Google's does.
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiExcludeEndpoint, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../../../http/problem.js';
import { AnswersErrors } from '../../../../http/route-kind.js';
import { type Caller, reaches } from '../../../auth/access.js';
import { type Site, SiteDirectory } from '../../../auth/directories/site.directory.js';
import { Calling, CallerGuard, NeedsScope } from '../../../auth/caller.guard.js';
import type { ReportRequest } from '../../request/report-request.js';
import { RunReportQuery } from '../../run-report.query.js';
import { ga4Metadata } from './ga4-metadata.js';
import {
  BATCH_EXAMPLES,
  BATCH_SCHEMA,
  ERROR_SCHEMA,
  METADATA_SCHEMA,
  REALTIME_EXAMPLES,
  REALTIME_SCHEMA,
  REPORT_ANSWER_SCHEMA,
  REPORT_EXAMPLES,
  REPORT_SCHEMA,
} from './ga4.openapi.js';
import {
  batchRequestSchema,
  type Ga4ReportRequest,
  parseRequest,
  realtimeRequestSchema,
  reportRequestSchema,
} from './ga4-request.js';
import { planReport } from './plan.js';
import { googleErrors } from './google-error.js';
import { planDateRanges, planMinuteRanges } from './ranges.js';
import { propertyQuota, reportMetadata } from './report-metadata.js';
import { type Asking, runGa4Report } from './run-ga4-report.js';

/** Google's property of no one: the metadata that all properties have. */
const ANY_PROPERTY = '0';

@ApiTags('Google Analytics Data API')
@Controller('v1beta/properties')
@UseGuards(CallerGuard)
@ApiParam({
  name: 'property',
  description: "One of the site's tracking ids, its id or its domain.",
  example: '123456',
})
@ApiResponse({ status: 400, schema: ERROR_SCHEMA, description: 'INVALID_ARGUMENT; the message says what.' })
@ApiResponse({ status: 401, schema: ERROR_SCHEMA, description: 'UNAUTHENTICATED: no valid key.' })
@ApiResponse({
  status: 403,
  schema: ERROR_SCHEMA,
  description: 'No such property, or not one the key may see.',
})
@ApiResponse({ status: 429, schema: ERROR_SCHEMA, description: 'RESOURCE_EXHAUSTED: too many requests.' })
@ApiResponse({ status: 503, schema: ERROR_SCHEMA, description: 'UNAVAILABLE; again after Retry-After.' })
export class Ga4Controller {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
  ) {}

  @Post(':property(^[^:/]+)::runReport')
  @HttpCode(200)
  @Header('cache-control', 'private, no-cache')
  @AnswersErrors(googleErrors)
  @NeedsScope('stats:read')
  @ApiOperation({ summary: 'Run a report, as the Google Analytics Data API does' })
  @ApiBody({ schema: REPORT_SCHEMA, examples: REPORT_EXAMPLES })
  @ApiResponse({ status: 200, schema: REPORT_ANSWER_SCHEMA })
  async runReport(
    @Param('property') property: string,
    @Body() body: unknown,
    @Calling() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const site = this.siteOf(property, caller);
    const request = parseRequest(reportRequestSchema, body);
    return { ...(await this.report(site, request)), ...quotaOf(request, reply) };
  }

  @Post(':property(^[^:/]+)::batchRunReports')
  @HttpCode(200)
  @Header('cache-control', 'private, no-cache')
  @AnswersErrors(googleErrors)
  @NeedsScope('stats:read')
  @ApiOperation({ summary: 'Run up to five reports, as the Google Analytics Data API does' })
  @ApiBody({ schema: BATCH_SCHEMA, examples: BATCH_EXAMPLES })
  @ApiResponse({ status: 200, description: 'The reports, in `reports`, in the order of the requests.' })
  async batchRunReports(
    @Param('property') property: string,
    @Body() body: unknown,
    @Calling() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const site = this.siteOf(property, caller);
    const { requests } = parseRequest(batchRequestSchema, body);
    const reports: object[] = [];
    for (const [index, request] of requests.entries()) {
      if (request.property && request.property !== `properties/${property}`) {
        throw Problem.badRequest(`requests[${index}].property must be properties/${property} or left out`);
      }
      reports.push({ ...(await this.report(site, request)), ...quotaOf(request, reply) });
    }
    return { reports, kind: 'analyticsData#batchRunReports' };
  }

  @Post(':property(^[^:/]+)::runRealtimeReport')
  @HttpCode(200)
  @Header('cache-control', 'private, no-cache')
  @AnswersErrors(googleErrors)
  @NeedsScope('stats:read')
  @ApiOperation({ summary: 'Report the last 30 minutes, as the Google Analytics Data API does' })
  @ApiBody({ schema: REALTIME_SCHEMA, examples: REALTIME_EXAMPLES })
  @ApiResponse({ status: 200, schema: REPORT_ANSWER_SCHEMA })
  async runRealtimeReport(
    @Param('property') property: string,
    @Body() body: unknown,
    @Calling() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const site = this.siteOf(property, caller);
    const request = parseRequest(realtimeRequestSchema, body);
    const now = Date.now();
    const ranges = planMinuteRanges(request.minuteRanges, { zone: site.timezone, now });
    const plan = planReport({ ...request, offset: 0, keepEmptyRows: false }, ranges, 'realtime');
    const { report } = await runGa4Report(plan, this.askingAbout(site, now));
    return { ...report, ...quotaOf(request, reply), kind: 'analyticsData#runRealtimeReport' };
  }

  @Get(':property/metadata')
  @AnswersErrors(googleErrors)
  @NeedsScope('stats:read')
  @ApiOperation({ summary: 'The dimensions and metrics that reports know' })
  @ApiResponse({ status: 200, schema: METADATA_SCHEMA })
  getMetadata(@Param('property') property: string, @Calling() caller: Caller) {
    if (property !== ANY_PROPERTY) this.siteOf(property, caller);
    return ga4Metadata(property);
  }

  @Post(':call')
  @AnswersErrors(googleErrors)
  @NeedsScope('stats:read')
  @ApiExcludeEndpoint()
  refuseOtherMethods(@Param('call') call: string): never {
    const method = call.slice(call.lastIndexOf(':') + 1);
    throw Problem.notFound(
      `There is no ${method} here: runReport, batchRunReports, runRealtimeReport and metadata are answered.`,
    );
  }

  private async report(site: Site, request: Ga4ReportRequest) {
    const now = Date.now();
    refuseOtherCurrency(site, request);
    const ranges = planDateRanges(request.dateRanges, { zone: site.timezone, now });
    const plan = planReport(request, ranges, 'core');
    const { report, completeness } = await runGa4Report(plan, this.askingAbout(site, now));
    return { ...report, metadata: reportMetadata(site, completeness), kind: 'analyticsData#runReport' };
  }

  private askingAbout(site: Site, now: number): Asking {
    return {
      ask: async (request: ReportRequest) =>
        (await this.queries.execute(new RunReportQuery(site, request, now))).report,
      currency: site.currency,
    };
  }

  /** @throws Problem 403 */
  private siteOf(property: string, caller: Caller): Site {
    const sites = [this.sites.findByTrackingId(property), this.sites.find(property)];
    const site = sites.find((one) => one !== undefined && reaches(caller, one));
    if (site === undefined)
      throw Problem.forbidden('The key has no sufficient permissions for this property.');
    return site;
  }
}

function refuseOtherCurrency({ currency }: Site, { currencyCode }: Ga4ReportRequest): void {
  if (currencyCode === '' || currencyCode === currency) return;
  throw Problem.badRequest(`currencyCode must be ${currency}, the site's: amounts are not converted.`);
}

function quotaOf({ returnPropertyQuota }: { readonly returnPropertyQuota: boolean }, reply: FastifyReply) {
  if (!returnPropertyQuota) return {};
  return { propertyQuota: propertyQuota(Number(reply.getHeader('ratelimit-remaining') ?? 0)) };
}
