// API keys of one site, over HTTP.
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller, requireReach } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { ApiIfMatch } from '../api-revision.js';
import { ApiSite, SITE_UNKNOWN } from '../api-site.js';
import { Calling, CallerGuard, NeedsScope } from '../caller.guard.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import { InputPipe } from '../input.pipe.js';
import type { IdSource } from '../random-ids.js';
import { ListParameters } from '../sites/site.dto.js';
import { KeyDesk, type KeysAsked } from './key.desk.js';
import { ChangeKeyBody, IssueKeyBody, KeyListAnswer, RotateKeyBody } from './key.dto.js';
import {
  ApiIssuedKey,
  ApiKeyId,
  ApiShownKey,
  CANNOT_CHANGE,
  CANNOT_ROTATE,
  KEY_UNKNOWN,
  ROTATION,
} from './keys.openapi.js';

const SITE_OR_KEY_UNKNOWN = `${SITE_UNKNOWN} Or: ${KEY_UNKNOWN}`;

@ApiTags('Keys')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@NeedsScope('sites:admin')
@Controller('v1/sites/:site/keys')
export class SiteKeysController {
  constructor(
    private readonly desk: KeyDesk,
    private readonly sites: SiteDirectory,
  ) {}

  @Post()
  @UseInterceptors(FoundInterceptor)
  @Repeatable()
  @ApiSite()
  @ApiOperation({ operationId: 'issueSiteKey', summary: 'Issue a key for one site' })
  @ApiIssuedKey()
  @ApiProblems({ 400: 'Some fields are not valid.', 404: SITE_UNKNOWN })
  issue(
    @Param('site') idOrDomain: string,
    @Body() body: IssueKeyBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<Found> {
    return this.desk.issue(this.#asked(idOrDomain, caller), body, ids);
  }

  @Get()
  @ApiSite()
  @ApiOperation({ operationId: 'listSiteKeys', summary: 'List the keys of a site' })
  @ApiResponse({ status: 200, type: KeyListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.', 404: SITE_UNKNOWN })
  list(
    @Param('site') idOrDomain: string,
    @Query() parameters: ListParameters,
    @Calling() caller: Caller,
  ): Promise<KeyListAnswer> {
    return this.desk.list(this.#asked(idOrDomain, caller), parameters);
  }

  @Get(':id')
  @UseInterceptors(FoundInterceptor)
  @ApiSite()
  @ApiKeyId()
  @ApiOperation({ operationId: 'getSiteKey', summary: 'Read about a key of a site' })
  @ApiShownKey()
  @ApiProblems({ 404: SITE_OR_KEY_UNKNOWN })
  get(@Param('site') idOrDomain: string, @Param('id') id: string, @Calling() caller: Caller): Promise<Found> {
    return this.desk.get(this.#asked(idOrDomain, caller), id);
  }

  @Patch(':id')
  @UseInterceptors(FoundInterceptor)
  @ApiSite()
  @ApiKeyId()
  @ApiIfMatch('key')
  @ApiOperation({
    operationId: 'changeSiteKey',
    summary: 'Rename a key of a site, or change when it expires',
  })
  @ApiShownKey()
  @ApiProblems({ 400: 'Some fields are not valid.', 404: SITE_OR_KEY_UNKNOWN, 409: CANNOT_CHANGE })
  change(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Body() body: ChangeKeyBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    return this.desk.change(this.#asked(idOrDomain, caller), id, { body, expected });
  }

  @Post(':id/rotate')
  @UseInterceptors(FoundInterceptor)
  @Repeatable()
  @ApiSite()
  @ApiKeyId()
  @ApiOperation({
    operationId: 'rotateSiteKey',
    summary: 'Put a new key in the place of one of a site',
    description: ROTATION,
  })
  @ApiIssuedKey()
  @ApiProblems({ 400: 'Some fields are not valid.', 404: SITE_OR_KEY_UNKNOWN, 409: CANNOT_ROTATE })
  rotate(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Body() body: RotateKeyBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<Found> {
    return this.desk.rotate(this.#asked(idOrDomain, caller), id, { body, ids });
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiSite()
  @ApiKeyId()
  @ApiOperation({ operationId: 'revokeSiteKey', summary: 'Revoke a key of a site, for ever' })
  @ApiResponse({ status: 204, description: 'Revoked.' })
  @ApiProblems({ 404: SITE_OR_KEY_UNKNOWN })
  revoke(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Calling() caller: Caller,
  ): Promise<void> {
    return this.desk.revoke(this.#asked(idOrDomain, caller), id);
  }

  /** @throws Problem 404 */
  #asked(idOrDomain: string, caller: Caller): KeysAsked {
    const { id, merchant } = requireReach(caller, this.sites.find(idOrDomain));
    return { caller, merchant, site: id };
  }
}
