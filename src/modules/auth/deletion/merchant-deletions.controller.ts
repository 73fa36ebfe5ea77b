// Deleting a merchant over HTTP: an owner's own, or any by the operator. Both say what is to be deleted, so that
// nobody does it by accident, and may ask again, which says how far it is.
import {
  Body,
  Controller,
  Delete,
  HttpCode,
  Param,
  Req,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Admits, CallerGuard, Calling, NeedsScope, SignedInAs } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import { actorOf } from '../merchants/acting.js';
import { MERCHANT_UNKNOWN } from '../merchants/merchant.desk.js';
import { OwnAccount } from '../people/own-account.js';
import type { SignedInPerson } from '../people/tokens/access-tokens.js';
import { ConfirmDeletionBody, DeleteMerchantBody, deletionAnswer, DeletionAnswer } from './deletions.dto.js';
import { MerchantDeletionDesk } from './merchant-deletion.desk.js';

const DESCRIPTION =
  'At once: members, keys, sites and shared links are refused, invitations withdrawn, domains set free one after the other. After the grace all rows are erased. It cannot be taken back. The same request once more says how far it is.';
const CONFIRM = 'confirm is neither its name nor its id, or a field is missing.';
const DELETED = {
  status: 202,
  type: DeletionAnswer,
  description: 'Deleted, now or before, and how far that is.',
};

@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@Controller()
export class MerchantDeletionsController {
  constructor(
    private readonly desk: MerchantDeletionDesk,
    private readonly account: OwnAccount,
  ) {}

  @Delete('v1/merchant')
  @ApiTags('Merchant')
  @Admits('people')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'deleteMerchant',
    summary: 'Delete the merchant that one is signed in for, as its owner',
    description: DESCRIPTION,
  })
  @ApiResponse(DELETED)
  @ApiProblems({
    400: CONFIRM,
    403: 'The password or code is wrong, you are no owner, or you showed a key.',
    404: MERCHANT_UNKNOWN,
  })
  async deleteOwn(
    @Body() { confirm, ...proof }: DeleteMerchantBody,
    @Calling() caller: Caller,
    @SignedInAs() signedIn: SignedInPerson,
    @Req() { ip }: FastifyRequest,
  ): Promise<DeletionAnswer> {
    const { merchant } = signedIn;
    if (merchant === null) throw Problem.notFound(MERCHANT_UNKNOWN);
    const origin = originOf(caller);
    await this.account.requirePresence(await this.account.of(signedIn), proof, { address: ip, origin });
    const wish = { merchant, confirm, actor: actorOf(caller), origin };
    return deletionAnswer(await this.desk.delete(wish));
  }

  @Delete('admin/v1/merchants/:id')
  @ApiTags('Operators')
  @NeedsScope('operator')
  @HttpCode(202)
  @ApiParam({ name: 'id', description: "The merchant's id.", example: 'm7Gk2mQx9RtP' })
  @ApiOperation({ operationId: 'deleteAnyMerchant', summary: 'Delete a merchant', description: DESCRIPTION })
  @ApiResponse(DELETED)
  @ApiProblems({ 400: CONFIRM, 404: MERCHANT_UNKNOWN, 409: "It is the operators' own." })
  async deleteAny(
    @Param('id') merchant: string,
    @Body() { confirm }: ConfirmDeletionBody,
    @Calling() caller: Caller,
  ): Promise<DeletionAnswer> {
    const wish = { merchant, confirm, actor: 'operator', origin: originOf(caller) } as const;
    return deletionAnswer(await this.desk.delete(wish));
  }
}
