// The jobs of a site: how they are doing, their results, their end. Another merchant's job answers exactly as
// one that does not exist, and so does another site's.
import { Controller, Delete, Get, Headers, Inject, Param, Query, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Problem } from '../../../http/problem.js';
import { type Caller, requireReach } from '../../auth/access.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Calling, CallerGuard, NeedsScope } from '../../auth/caller.guard.js';
import { parsedBy } from '../request/parsed-by.js';
import { isOver, type Job } from './job.js';
import { jobCursor, placeOfJobCursor } from './job-cursor.js';
import { jobDocument, POLL_SECONDS } from './job-document.js';
import { JobTable } from './job-table.js';
import { ApiDeleteJob, ApiJob, ApiJobList, ApiJobResult } from './jobs.openapi.js';
import { ResultStore } from './result-store.js';
import { sendResult } from './send-result.js';

const listParameters = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

const JOB_ID = /^j\w{1,20}$/;

@ApiTags('Jobs')
@ApiBearerAuth('bearer')
@Controller('v1/sites/:site/jobs')
@UseGuards(CallerGuard)
@NeedsScope('stats:read')
export class JobsController {
  constructor(
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    @Inject(JobTable) private readonly jobs: JobTable,
    @Inject(ResultStore) private readonly results: ResultStore,
  ) {}

  @Get()
  @ApiJobList()
  async list(
    @Param('site') idOrDomain: string,
    @Query() query: unknown,
    @Calling() caller: Caller,
  ): Promise<object> {
    const site = requireReach(caller, this.sites.find(idOrDomain)).id;
    const { limit, cursor } = parsedBy(listParameters, query);
    const before = cursor === undefined ? null : placeOfJobCursor(cursor);
    // One more than asked for tells whether there is a next page.
    const found = await this.jobs.list(site, before, limit + 1);
    const shown = found.slice(0, limit);
    return {
      jobs: shown.map(jobDocument),
      next_cursor: found.length > limit ? jobCursor(shown.at(-1)!) : null,
    };
  }

  @Get(':id')
  @ApiJob()
  async get(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Calling() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const job = await this.find(idOrDomain, id, caller);
    void reply.header('cache-control', 'no-store');
    if (!isOver(job)) void reply.header('retry-after', POLL_SECONDS);
    return jobDocument(job);
  }

  @Get(':id/result')
  @ApiJobResult()
  async result(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Calling() caller: Caller,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.find(idOrDomain, id, caller);
    sendResult(reply, headers, { job, store: this.results });
  }

  @Delete(':id')
  @ApiDeleteJob()
  async delete(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Calling() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.find(idOrDomain, id, caller);
    const cancelled = isOver(job) ? undefined : await this.jobs.cancel(job);
    if (cancelled !== undefined) return void reply.status(200).send(jobDocument(cancelled));
    await this.jobs.remove(job);
    void reply.status(204).send();
  }

  /** @throws Problem 404 */
  private async find(idOrDomain: string, id: string, caller: Caller): Promise<Job> {
    const site = requireReach(caller, this.sites.find(idOrDomain)).id;
    const job = JOB_ID.test(id) ? await this.jobs.find({ site, id }) : undefined;
    if (job === undefined) throw Problem.notFound('The site has no such job.');
    return job;
  }
}
