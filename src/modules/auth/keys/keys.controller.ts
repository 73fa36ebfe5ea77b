// API keys over HTTP, in two places: those of one site, and those good for all of a merchant's.
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Problem } from '../../../http/problem.js';
import { type Caller, requireReach, siteUnknown } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { IssueKey } from './issue-key.command.js';
import { RevokeKey } from './revoke-key.command.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import type { ApiKey } from './key.aggregate.js';
import { IssuedKeyAnswer, IssueKeyBody, IssueMerchantKeyBody, keyAnswer, KeyListAnswer } from './key.dto.js';
import { Calling, CallerGuard, NeedsScope } from '../caller.guard.js';
import { merchantFor } from '../merchants/acting.js';
import { pageOf } from '../page.js';
import { ListParameters } from '../sites/site.dto.js';

const ApiSite = () =>
  ApiParam({ name: 'site', description: "The site's id or domain.", example: 'shop.example' });
const ApiKeyId = () => ApiParam({ name: 'id', description: "The key's id.", example: 'k3Hn8vBw2LzD' });
const SITE_UNKNOWN = "There is no such site, or it is out of the key's reach.";
const KEY_UNKNOWN = 'There is no such key here.';

/** Whose keys a request is about. */
interface Owner {
  readonly merchant: string;
  readonly site: string | null;
}

@ApiTags('Keys')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@NeedsScope('sites:admin')
@Controller('v1')
export class KeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly sites: SiteDirectory,
    private readonly keys: KeyDirectory,
  ) {}

  @Post('sites/:site/keys')
  @ApiSite()
  @ApiOperation({ operationId: 'issueSiteKey', summary: 'Issue a key for one site' })
  @ApiResponse({ status: 201, type: IssuedKeyAnswer, description: 'The only answer that shows the key.' })
  @ApiProblems({ 400: 'Some fields are not valid.', 404: SITE_UNKNOWN })
  issueForSite(
    @Param('site') idOrDomain: string,
    @Body() body: IssueKeyBody,
    @Calling() caller: Caller,
  ): Promise<IssuedKeyAnswer> {
    const { id: site, merchant } = requireReach(caller, this.sites.find(idOrDomain));
    return this.#issue({ merchant, site }, body, caller);
  }

  @Get('sites/:site/keys')
  @ApiSite()
  @ApiOperation({ operationId: 'listSiteKeys', summary: "List a site's keys" })
  @ApiResponse({ status: 200, type: KeyListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.', 404: SITE_UNKNOWN })
  listOfSite(
    @Param('site') idOrDomain: string,
    @Query() parameters: ListParameters,
    @Calling() caller: Caller,
  ): KeyListAnswer {
    const { id } = requireReach(caller, this.sites.find(idOrDomain));
    return listAnswer(this.keys.listOfSite(id), parameters);
  }

  @Delete('sites/:site/keys/:id')
  @HttpCode(204)
  @ApiSite()
  @ApiKeyId()
  @ApiOperation({ operationId: 'revokeSiteKey', summary: "Revoke a site's key, for ever" })
  @ApiResponse({ status: 204, description: 'Revoked.' })
  @ApiProblems({ 404: KEY_UNKNOWN })
  async revokeOfSite(
    @Param('site') idOrDomain: string,
    @Param('id') id: string,
    @Calling() caller: Caller,
  ): Promise<void> {
    const site = requireReach(caller, this.sites.find(idOrDomain));
    await this.#revoke(this.keys.byId(id)?.site === site.id ? id : undefined, caller);
  }

  @Post('keys')
  @ApiOperation({ operationId: 'issueKey', summary: "Issue a key for all of a merchant's sites" })
  @ApiResponse({ status: 201, type: IssuedKeyAnswer, description: 'The only answer that shows the key.' })
  @ApiProblems({ 400: 'Some fields are not valid.' })
  async issue(@Body() body: IssueMerchantKeyBody, @Calling() caller: Caller): Promise<IssuedKeyAnswer> {
    requireWholeMerchant(caller);
    if (body.scopes.includes('ingest')) {
      throw Problem.badRequest('Issue it under /v1/sites/{site}/keys.', [
        { path: 'scopes', message: 'ingest is for keys of one site' },
      ]);
    }
    return this.#issue({ merchant: merchantFor(caller, body.merchant), site: null }, body, caller);
  }

  @Get('keys')
  @ApiOperation({ operationId: 'listKeys', summary: "List the keys good for all of a merchant's sites" })
  @ApiResponse({ status: 200, type: KeyListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  list(@Query() parameters: ListParameters, @Calling() caller: Caller): KeyListAnswer {
    requireWholeMerchant(caller);
    return listAnswer(this.keys.listOfMerchant(caller.merchant), parameters);
  }

  @Delete('keys/:id')
  @HttpCode(204)
  @ApiKeyId()
  @ApiOperation({
    operationId: 'revokeKey',
    summary: "Revoke a key good for all of a merchant's sites, for ever",
  })
  @ApiResponse({ status: 204, description: 'Revoked.' })
  @ApiProblems({ 404: KEY_UNKNOWN })
  async revoke(@Param('id') id: string, @Calling() caller: Caller): Promise<void> {
    requireWholeMerchant(caller);
    const key = this.keys.byId(id);
    const isTheirs = caller.merchant === null || caller.merchant === key?.merchant;
    await this.#revoke(key?.site === null && isTheirs ? id : undefined, caller);
  }

  async #issue(owner: Owner, { name, scopes }: IssueKeyBody, caller: Caller): Promise<IssuedKeyAnswer> {
    const issued = await this.commands.execute(new IssueKey({ ...owner, name, scopes }, caller.id));
    if (issued.outcome === 'owner-unknown') throw owner.site === null ? merchantUnknown() : siteUnknown();
    return Object.assign(keyAnswer(issued.issued), { key: issued.key });
  }

  async #revoke(id: string | undefined, caller: Caller): Promise<void> {
    const outcome =
      id === undefined ? 'key-unknown' : await this.commands.execute(new RevokeKey(id, caller.id));
    if (outcome === 'key-unknown') throw Problem.notFound(KEY_UNKNOWN);
  }
}

const merchantUnknown = (): Problem =>
  Problem.badRequest('The key would belong to nobody.', [
    { path: 'merchant', message: 'is the id of no merchant' },
  ]);

function requireWholeMerchant(caller: Caller): void {
  if (caller.site !== null) throw Problem.forbidden('A key of one site manages the keys of that site only.');
}

function listAnswer(keys: readonly ApiKey[], { limit, cursor }: ListParameters): KeyListAnswer {
  const page = pageOf(keys, { limit, cursor, nameOf: ({ id }) => id });
  return { keys: page.items.map(keyAnswer), next_cursor: page.nextCursor };
}
