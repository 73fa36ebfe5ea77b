// API keys good for all of a merchant's sites, over HTTP.
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
import { Problem } from '../../../http/problem.js';
import type { Caller } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { ApiIfMatch } from '../api-revision.js';
import { Calling, CallerGuard, NeedsScope } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import { InputPipe } from '../input.pipe.js';
import { merchantFor } from '../merchants/acting.js';
import type { IdSource } from '../random-ids.js';
import { ListParameters } from '../sites/site.dto.js';
import { KeyDesk, type KeysAsked } from './key.desk.js';
import { ChangeKeyBody, IssueMerchantKeyBody, KeyListAnswer, RotateKeyBody } from './key.dto.js';
import {
  ApiIssuedKey,
  ApiKeyId,
  ApiShownKey,
  CANNOT_CHANGE,
  CANNOT_ROTATE,
  KEY_UNKNOWN,
  ROTATION,
} from './keys.openapi.js';

@ApiTags('Keys')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@NeedsScope('sites:admin')
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly desk: KeyDesk) {}

  @Post()
  @UseInterceptors(FoundInterceptor)
  @Repeatable()
  @ApiOperation({ operationId: 'issueKey', summary: "Issue a key for all of a merchant's sites" })
  @ApiIssuedKey()
  @ApiProblems({ 400: 'Some fields are not valid.' })
  issue(@Body() body: IssueMerchantKeyBody, @Calling() caller: Caller, @Ids() ids: IdSource): Promise<Found> {
    if (body.scopes.includes('ingest')) {
      throw Problem.badRequest('Issue it under /v1/sites/{site}/keys.', [
        { path: 'scopes', message: 'ingest is for keys of one site' },
      ]);
    }
    const merchant = merchantFor(caller, body.merchant);
    return this.desk.issue({ ...asked(caller), merchant }, body, ids);
  }

  @Get()
  @ApiOperation({ operationId: 'listKeys', summary: "List the keys good for all of a merchant's sites" })
  @ApiResponse({ status: 200, type: KeyListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  list(@Query() parameters: ListParameters, @Calling() caller: Caller): Promise<KeyListAnswer> {
    return this.desk.list(asked(caller), parameters);
  }

  @Get(':id')
  @UseInterceptors(FoundInterceptor)
  @ApiKeyId()
  @ApiOperation({ operationId: 'getKey', summary: "Read about a key good for all of a merchant's sites" })
  @ApiShownKey()
  @ApiProblems({ 404: KEY_UNKNOWN })
  get(@Param('id') id: string, @Calling() caller: Caller): Promise<Found> {
    return this.desk.get(asked(caller), id);
  }

  @Patch(':id')
  @UseInterceptors(FoundInterceptor)
  @ApiKeyId()
  @ApiIfMatch('key')
  @ApiOperation({
    operationId: 'changeKey',
    summary: "Rename a key good for all of a merchant's sites, or change when it expires",
  })
  @ApiShownKey()
  @ApiProblems({ 400: 'Some fields are not valid.', 404: KEY_UNKNOWN, 409: CANNOT_CHANGE })
  change(
    @Param('id') id: string,
    @Body() body: ChangeKeyBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    return this.desk.change(asked(caller), id, { body, expected });
  }

  @Post(':id/rotate')
  @UseInterceptors(FoundInterceptor)
  @Repeatable()
  @ApiKeyId()
  @ApiOperation({
    operationId: 'rotateKey',
    summary: "Put a new key in the place of one good for all of a merchant's sites",
    description: ROTATION,
  })
  @ApiIssuedKey()
  @ApiProblems({ 400: 'Some fields are not valid.', 404: KEY_UNKNOWN, 409: CANNOT_ROTATE })
  rotate(
    @Param('id') id: string,
    @Body() body: RotateKeyBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<Found> {
    return this.desk.rotate(asked(caller), id, { body, ids });
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiKeyId()
  @ApiOperation({
    operationId: 'revokeKey',
    summary: "Revoke a key good for all of a merchant's sites, for ever",
  })
  @ApiResponse({ status: 204, description: 'Revoked.' })
  @ApiProblems({ 404: KEY_UNKNOWN })
  revoke(@Param('id') id: string, @Calling() caller: Caller): Promise<void> {
    return this.desk.revoke(asked(caller), id);
  }
}

/** @throws Problem 403 */
function asked(caller: Caller): KeysAsked {
  if (caller.site !== null) throw Problem.forbidden('A key of one site manages the keys of that site only.');
  return { caller, merchant: caller.merchant, site: null };
}
