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
import { type KeyHolder, requireReach, siteUnknown } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { IssueKey } from './issue-key.command.js';
import { RevokeKey } from './revoke-key.command.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import type { ApiKey } from './key.aggregate.js';
import { IssuedKeyAnswer, IssueKeyBody, keyAnswer, KeyListAnswer } from './key.dto.js';
import { Holder, KeyGuard, NeedsScope } from '../key.guard.js';
import { OPERATORS_MERCHANT } from '../merchants/merchant.aggregate.js';
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
@UseGuards(KeyGuard)
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
    @Holder() holder: KeyHolder,
  ): Promise<IssuedKeyAnswer> {
    const { id: site, merchant } = requireReach(holder, this.sites.find(idOrDomain));
    return this.#issue({ merchant, site }, body, holder);
  }

  @Get('sites/:site/keys')
  @ApiSite()
  @ApiOperation({ operationId: 'listSiteKeys', summary: "List a site's keys" })
  @ApiResponse({ status: 200, type: KeyListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.', 404: SITE_UNKNOWN })
  listOfSite(
    @Param('site') idOrDomain: string,
    @Query() parameters: ListParameters,
    @Holder() holder: KeyHolder,
  ): KeyListAnswer {
    const { id } = requireReach(holder, this.sites.find(idOrDomain));
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
    @Holder() holder: KeyHolder,
  ): Promise<void> {
    const site = requireReach(holder, this.sites.find(idOrDomain));
    await this.#revoke(this.keys.byId(id)?.site === site.id ? id : undefined, holder);
  }

  @Post('keys')
  @ApiOperation({ operationId: 'issueKey', summary: "Issue a key for all of a merchant's sites" })
  @ApiResponse({ status: 201, type: IssuedKeyAnswer, description: 'The only answer that shows the key.' })
  @ApiProblems({ 400: 'Some fields are not valid.' })
  async issue(@Body() body: IssueKeyBody, @Holder() holder: KeyHolder): Promise<IssuedKeyAnswer> {
    requireWholeMerchant(holder);
    if (body.scopes.includes('ingest')) {
      throw Problem.badRequest('Issue it under /v1/sites/{site}/keys.', [
        { path: 'scopes', message: 'ingest is for keys of one site' },
      ]);
    }
    return this.#issue({ merchant: holder.merchant ?? OPERATORS_MERCHANT, site: null }, body, holder);
  }

  @Get('keys')
  @ApiOperation({ operationId: 'listKeys', summary: "List the keys good for all of a merchant's sites" })
  @ApiResponse({ status: 200, type: KeyListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  list(@Query() parameters: ListParameters, @Holder() holder: KeyHolder): KeyListAnswer {
    requireWholeMerchant(holder);
    return listAnswer(this.keys.listOfMerchant(holder.merchant), parameters);
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
  async revoke(@Param('id') id: string, @Holder() holder: KeyHolder): Promise<void> {
    requireWholeMerchant(holder);
    const key = this.keys.byId(id);
    const isTheirs = holder.merchant === null || holder.merchant === key?.merchant;
    await this.#revoke(key?.site === null && isTheirs ? id : undefined, holder);
  }

  async #issue(owner: Owner, { name, scopes }: IssueKeyBody, holder: KeyHolder): Promise<IssuedKeyAnswer> {
    const issued = await this.commands.execute(new IssueKey({ ...owner, name, scopes }, holder.id));
    if (issued.outcome === 'owner-unknown') throw siteUnknown();
    return Object.assign(keyAnswer(issued.issued), { key: issued.key });
  }

  async #revoke(id: string | undefined, holder: KeyHolder): Promise<void> {
    const outcome =
      id === undefined ? 'key-unknown' : await this.commands.execute(new RevokeKey(id, holder.id));
    if (outcome === 'key-unknown') throw Problem.notFound(KEY_UNKNOWN);
  }
}

function requireWholeMerchant(holder: KeyHolder): void {
  if (holder.site !== null) throw Problem.forbidden('A key of one site manages the keys of that site only.');
}

function listAnswer(keys: readonly ApiKey[], { limit, cursor }: ListParameters): KeyListAnswer {
  const page = pageOf(keys, { limit, cursor, nameOf: ({ id }) => id });
  return { keys: page.items.map(keyAnswer), next_cursor: page.nextCursor };
}
