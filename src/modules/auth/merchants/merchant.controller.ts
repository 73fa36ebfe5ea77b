// A merchant over HTTP: the caller's own, or the one that the operator names.
import { Body, Get, Patch, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { Caller } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { merchantFor } from './acting.js';
import { MERCHANT_UNKNOWN, MerchantDesk } from './merchant.desk.js';
import { MerchantAnswer, merchantAnswer, MerchantParameters, NameMerchantBody } from './merchant.dto.js';
import { ApiIfMatch } from '../api-revision.js';
import { ETAG } from './merchant.openapi.js';

const PATH = '/v1/merchant';

@ControlPlaneController('v1/merchant', { tag: 'Merchant' })
@UseInterceptors(FoundInterceptor)
export class MerchantController {
  constructor(private readonly desk: MerchantDesk) {}

  @Get()
  @NeedsScope('stats:read', 'sites:admin')
  @ApiOperation({ operationId: 'getMerchant', summary: 'Read the merchant that the key or session is of' })
  @ApiResponse({ status: 200, type: MerchantAnswer, headers: ETAG })
  @ApiProblems({ 400: 'merchant is not valid.', 404: MERCHANT_UNKNOWN })
  async get(@Query() { merchant }: MerchantParameters, @Calling() caller: Caller): Promise<Found> {
    const found = await this.desk.find(merchantFor(caller, merchant));
    return { path: PATH, revision: found.revision, answer: merchantAnswer(found) };
  }

  @Patch()
  @NeedsScope('members:admin')
  @ApiIfMatch('merchant')
  @ApiOperation({ operationId: 'changeMerchant', summary: 'Rename the merchant' })
  @ApiResponse({ status: 200, type: MerchantAnswer, headers: ETAG })
  @ApiProblems({
    400: 'Some fields are not valid.',
    404: MERCHANT_UNKNOWN,
    409: 'The merchant has changed since it was read: read it again.',
  })
  async change(
    @Query() { merchant }: MerchantParameters,
    @Body() { name }: NameMerchantBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    const wish = { wish: 'rename', name } as const;
    const changed = await this.desk.change(caller, {
      merchant: merchantFor(caller, merchant),
      wish,
      expected,
    });
    return { path: PATH, revision: changed.revision, answer: merchantAnswer(changed) };
  }
}
