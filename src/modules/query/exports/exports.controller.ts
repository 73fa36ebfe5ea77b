// POST /v1/sites/{site}/exports: checks what is wanted, and makes a job of it.
import { Body, Controller, HttpCode, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, requireReach } from '../../auth/access.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Calling, CallerGuard, NeedsScope } from '../../auth/caller.guard.js';
import { Ids, Repeatable } from '../../auth/idempotency/repeatable.js';
import type { IdSource } from '../../auth/random-ids.js';
import { Freshness } from '../freshness.js';
import { ApiAccepted } from '../jobs/jobs.openapi.js';
import { acceptJob } from '../jobs/accept-job.js';
import { Submissions } from '../jobs/submissions.js';
import { SiteQuestions } from '../site-questions.js';
import { keptExport, parseExportRequest } from './export-request.js';
import { EXPORT_EXAMPLES, EXPORT_SCHEMA } from './exports.openapi.js';
import { EXPORT_KIND } from './run-export.js';

@ApiTags('Jobs')
@ApiBearerAuth('bearer')
@Controller('v1/sites/:site/exports')
@UseGuards(CallerGuard)
export class ExportsController {
  constructor(
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    @Inject(Freshness) private readonly freshness: Freshness,
    @Inject(SiteQuestions) private readonly questions: SiteQuestions,
    @Inject(Submissions) private readonly submissions: Submissions,
  ) {}

  @Post()
  @HttpCode(202)
  @Repeatable()
  @NeedsScope('stats:read')
  @ApiOperation({
    operationId: 'createExport',
    summary: 'Export events or sessions as a file',
    description:
      "Makes a job that writes NDJSON or Parquet: a row for each event of the date range, or for each session that is active in it, in the site's time zone, in the order of their sessions' beginning. Date range, filters and bots mean what they mean in a query. What each column means: docs/reference/exports.md.",
  })
  @ApiParam({ name: 'site', description: 'Id or domain of the site.', example: 'shop.example' })
  @ApiBody({ schema: EXPORT_SCHEMA, examples: EXPORT_EXAMPLES })
  @ApiAccepted('A job that will make the file.')
  @ApiProblems({
    400: 'Unknown name or impossible combination; `errors` names the path.',
    404: 'No such site, or not one the key may read.',
    409: 'The results that are kept are as large as they may be.',
    422: 'Too costly; `detail` says what to narrow.',
    429: 'Too many jobs wait or run, or too many requests in a minute.',
  })
  async create(
    @Param('site') idOrDomain: string,
    @Body() body: unknown,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const site = requireReach(caller, this.sites.find(idOrDomain));
    const wanted = parseExportRequest(body);
    const asked = { site, request: wanted.selection, now: Date.now() };
    const query = await this.questions.normalised(asked, await this.freshness.of(site.id));
    const { id, merchant } = site;
    const request = keptExport(wanted, query);
    const job = await this.submissions.submit({
      ...{ site: id, merchant, kind: EXPORT_KIND, request },
      id: ids.newId('j'),
    });
    return acceptJob(reply, job, { isPreferred: false });
  }
}
