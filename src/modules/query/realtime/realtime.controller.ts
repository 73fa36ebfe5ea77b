// GET /v1/sites/{site}/realtime: the last half hour, once as JSON, or as Server-Sent Events for as long
// as the client stays. Streams end when HTTP closes, so that a stop does not wait for watchers.
import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  Headers,
  Inject,
  type OnModuleInit,
  Param,
  Res,
  UseGuards,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { QueryBus } from '@nestjs/cqrs';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { EVENT_STREAM } from '../../../http/route-kind.js';
import { type Caller, requireReach } from '../../auth/access.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Calling, CallerGuard, NeedsScope } from '../../auth/caller.guard.js';
import { etagOf } from '../digest.js';
import { prefersEventStream, sendTagged } from '../negotiation.js';
import { EVENT_STREAM_EXAMPLE, REALTIME_EXAMPLE, REALTIME_SCHEMA } from './realtime.openapi.js';
import { RealtimeQuery } from './run-realtime.query.js';
import { RealtimeSnapshots } from './snapshots.js';
import { RealtimeWatchers } from './watchers.js';

@ApiTags('Query')
@Controller('v1/sites/:site/realtime')
@UseGuards(CallerGuard)
export class RealtimeController implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    @Inject(RealtimeWatchers) private readonly watchers: RealtimeWatchers,
    @Inject(RealtimeSnapshots) private readonly snapshots: RealtimeSnapshots,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('preClose', async () => this.watchers.close());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.watchers.close();
    await this.snapshots.settled();
  }

  @Get()
  @NeedsScope('stats:view')
  @ApiOperation({
    summary: 'Who is on a site now',
    description:
      "Visitors of the last five minutes, and the last thirty minutes by minute, page, source, country and device; without bots. The numbers are made once a second at most for everybody who asks, so polling more often brings nothing. With `Accept: text/event-stream` the answer is a stream of Server-Sent Events: the numbers at once, then whenever they have changed, at most once a second; a comment every 15 seconds of silence. The key goes into the `Authorization` header as everywhere; browsers' `EventSource` cannot send it, so read the stream with `fetch`.",
  })
  @ApiParam({ name: 'site', description: 'Id or domain of the site.', example: 'shop.example' })
  @ApiHeader({ name: 'Accept', required: false, description: '`text/event-stream` gives events.' })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Of a stream that broke off: the numbers come when they are others than those.',
  })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'An ETag: 304 while the numbers are the same.',
  })
  @ApiResponse({
    status: 200,
    content: {
      'application/json': { schema: REALTIME_SCHEMA, example: REALTIME_EXAMPLE },
      'text/event-stream': { schema: { type: 'string' }, example: EVENT_STREAM_EXAMPLE },
    },
  })
  @ApiResponse({ status: 304, description: 'The numbers are those of the ETag.' })
  @ApiProblems({
    404: 'No such site, or not one the key may read.',
    429: 'Too many requests in a minute, or too many streams of this key; again after Retry-After.',
    503: 'The numbers are not to be had now, or the node keeps as many streams as it can. Try again after Retry-After.',
  })
  async realtime(
    @Param('site') idOrDomain: string,
    @Calling() caller: Caller,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const site = requireReach(caller, this.sites.find(idOrDomain)).id;
    void reply.header('vary', 'accept');
    // HEAD comes here too, and would have a stream that nobody closes.
    if (reply.request.method === 'GET' && prefersEventStream(headers.accept)) {
      const stream = await this.watchers.watch({ site, caller }, headers['last-event-id']);
      return void reply
        .headers({
          'content-type': EVENT_STREAM,
          'cache-control': 'no-store',
          // nginx would collect the events of minutes before it passes them on.
          'x-accel-buffering': 'no',
        })
        .send(stream);
    }
    const { report, digest } = await this.queries.execute(new RealtimeQuery(site));
    sendTagged(reply, headers, { etag: etagOf(digest), json: report });
  }
}
