// All merchants over HTTP, for the operator.
import { Body, Get, Param, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { type Caller, originOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import type { IdSource } from '../random-ids.js';
import { MERCHANT_UNKNOWN, MerchantDesk } from './merchant.desk.js';
import {
  MerchantAnswer,
  merchantAnswer,
  MerchantListAnswer,
  NameMerchantBody,
  SearchParameters,
} from './merchant.dto.js';
import { MerchantLists } from './merchant.lists.js';
import { RegisterMerchant } from './register-merchant.command.js';

@ControlPlaneController('admin/v1/merchants', { tag: 'Operators' })
@NeedsScope('operator')
export class MerchantsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly desk: MerchantDesk,
    private readonly lists: MerchantLists,
  ) {}

  @Post()
  @Repeatable()
  @ApiOperation({
    operationId: 'createMerchant',
    summary: 'Create a merchant',
    description: 'It has no members yet: invite an owner.',
  })
  @ApiResponse({ status: 201, type: MerchantAnswer })
  @ApiProblems({ 400: 'Some fields are not valid.' })
  async create(
    @Body() { name }: NameMerchantBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<MerchantAnswer> {
    // Of a request that is sent again: it is there already.
    const id = ids.newId('m');
    await this.commands.execute(new RegisterMerchant({ id, name, origin: originOf(caller) }));
    return merchantAnswer(await this.desk.find(id));
  }

  @Get()
  @ApiOperation({ operationId: 'listMerchants', summary: 'List merchants, or search them' })
  @ApiResponse({ status: 200, type: MerchantListAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async list(@Query() { limit, cursor, search }: SearchParameters): Promise<MerchantListAnswer> {
    const page = await this.lists.merchants({ limit, cursor, search });
    return {
      merchants: page.items.map(({ members, sites, ...rest }) =>
        Object.assign(merchantAnswer(rest), { members, sites }),
      ),
      next_cursor: page.nextCursor,
    };
  }

  @Get(':id')
  @ApiParam({ name: 'id', description: "The merchant's id.", example: 'default' })
  @ApiOperation({ operationId: 'getAnyMerchant', summary: 'Read a merchant' })
  @ApiResponse({ status: 200, type: MerchantAnswer })
  @ApiProblems({ 404: MERCHANT_UNKNOWN })
  async get(@Param('id') id: string): Promise<MerchantAnswer> {
    return merchantAnswer(await this.desk.find(id));
  }
}
