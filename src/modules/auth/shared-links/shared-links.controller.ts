// The shared links of a site, over HTTP, for those who administer it.
import {
  applyDecorators,
  Body,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { type Caller, requireReach } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { ApiIfMatch, revisionOf } from '../api-revision.js';
import { ApiSite, SITE_UNKNOWN } from '../api-site.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { type Site, SiteDirectory } from '../directories/site.directory.js';
import { changedSince } from '../entity-tag.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import { NoStoreInterceptor } from '../people/no-store.interceptor.js';
import type { IdSource } from '../random-ids.js';
import { ListParameters } from '../sites/site.dto.js';
import {
  ChangeSharedLinkBody,
  CreateSharedLinkBody,
  SharedLinkAnswer,
  SharedLinkListAnswer,
} from './shared-link.dto.js';
import { LINK_UNKNOWN, SharedLinksDesk } from './shared-links.desk.js';

const SITE_OR_LINK_UNKNOWN = `${SITE_UNKNOWN} Or: ${LINK_UNKNOWN}`;
const INVALID = 'Some fields are not valid, or the password is easy to guess.';
const ETAG = revisionOf('link');

const ApiLink = () =>
  applyDecorators(
    ApiSite(),
    ApiParam({ name: 'id', description: "The link's id.", example: 'l7Gk2mQx9RtP' }),
  );

@ControlPlaneController('v1/sites/:site/shared-links', { tag: 'Shared links' })
@UseInterceptors(NoStoreInterceptor)
@NeedsScope('sites:admin')
export class SharedLinksController {
  constructor(
    private readonly desk: SharedLinksDesk,
    private readonly sites: SiteDirectory,
  ) {}

  @Post()
  @UseInterceptors(FoundInterceptor)
  @Repeatable()
  @ApiSite()
  @ApiOperation({
    operationId: 'createSharedLink',
    summary: 'Share the numbers of a site by a link',
    description:
      'Whoever has the link sees queries, reports and realtime of this one site, its goals, segments, funnels and annotations; no exports, settings, keys or members.',
  })
  @ApiResponse({ status: 201, type: SharedLinkAnswer, headers: ETAG, description: 'Opens at once.' })
  @ApiProblems({ 400: INVALID, 404: SITE_UNKNOWN })
  create(
    @Param('site') idOrDomain: string,
    @Body() body: CreateSharedLinkBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<Found> {
    return this.desk.create(this.#siteOf(idOrDomain, caller), { body, caller, ids });
  }

  @Get()
  @ApiSite()
  @ApiOperation({ operationId: 'listSharedLinks', summary: 'List the shared links of a site' })
  @ApiResponse({ status: 200, type: SharedLinkListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.', 404: SITE_UNKNOWN })
  list(
    @Param('site') idOrDomain: string,
    @Query() parameters: ListParameters,
    @Calling() caller: Caller,
  ): SharedLinkListAnswer {
    return this.desk.list(this.#siteOf(idOrDomain, caller), parameters);
  }

  @Get(':id')
  @UseInterceptors(FoundInterceptor)
  @ApiLink()
  @ApiOperation({ operationId: 'getSharedLink', summary: 'Read a shared link' })
  @ApiResponse({ status: 200, type: SharedLinkAnswer, headers: ETAG })
  @ApiProblems({ 404: SITE_OR_LINK_UNKNOWN })
  get(@Param('site') idOrDomain: string, @Param('id') id: string, @Calling() caller: Caller): Found {
    return this.desk.get(this.#siteOf(idOrDomain, caller), id);
  }

  @Patch(':id')
  @UseInterceptors(FoundInterceptor)
  @ApiLink()
  @ApiIfMatch('link')
  @ApiOperation({ operationId: 'changeSharedLink', summary: 'Change a shared link; its token stays' })
  @ApiResponse({ status: 200, type: SharedLinkAnswer, headers: ETAG })
  @ApiProblems({ 400: INVALID, 404: SITE_OR_LINK_UNKNOWN, 409: changedSince('link') })
  change(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Body() body: ChangeSharedLinkBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    return this.desk.change({ site: this.#siteOf(idOrDomain, caller), id, expected, caller }, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiLink()
  @ApiIfMatch('link')
  @ApiOperation({ operationId: 'deleteSharedLink', summary: 'Delete a shared link, for ever' })
  @ApiResponse({ status: 204, description: 'Whoever came by it is refused within seconds.' })
  @ApiProblems({ 404: SITE_OR_LINK_UNKNOWN, 409: changedSince('link') })
  delete(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<void> {
    return this.desk.delete({ site: this.#siteOf(idOrDomain, caller), id, expected, caller });
  }

  /** @throws Problem 404 */
  #siteOf(idOrDomain: string, caller: Caller): Site {
    return requireReach(caller, this.sites.find(idOrDomain));
  }
}
