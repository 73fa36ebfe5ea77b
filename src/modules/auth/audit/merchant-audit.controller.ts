// What concerns one merchant, its sites, keys, links, members and quota: who did it, operators too, over HTTP. For
// owners and admins, and keys that stand as such. Neither another merchant's, nor what its members do to their
// accounts.
import { Controller, Get, Query, Req, Res, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { CallerGuard, Calling, NeedsScope } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import { merchantFor } from '../merchants/acting.js';
import { MERCHANT_UNKNOWN, MerchantDesk } from '../merchants/merchant.desk.js';
import {
  AuditAnswer,
  auditAnswer,
  MerchantAuditExportParameters,
  MerchantAuditParameters,
  questionOf,
} from './audit.dto.js';
import { ApiAuditFile } from './audit.openapi.js';
import { AuditExports } from './audit-exports.js';
import { AuditTrail } from './audit-trail.js';

const PROBLEMS = { 400: 'A parameter is not valid.', 404: MERCHANT_UNKNOWN };

@ApiTags('Merchant')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@NeedsScope('members:admin')
@Controller('v1/merchant/audit')
export class MerchantAuditController {
  constructor(
    private readonly trail: AuditTrail,
    private readonly exports: AuditExports,
    private readonly merchants: MerchantDesk,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'readMerchantAuditTrail',
    summary: 'Read who did what to the merchant, its sites, keys and members, when and from where',
    description:
      'Also what operators did, but not which of them, nor from where. E-mail addresses are shown of accounts that are members.',
  })
  @ApiResponse({ status: 200, type: AuditAnswer })
  @ApiProblems(PROBLEMS)
  async read(@Query() asked: MerchantAuditParameters, @Calling() caller: Caller): Promise<AuditAnswer> {
    const { limit, cursor } = asked;
    const reader = await this.#readerOf(caller, asked.merchant);
    return auditAnswer(await this.trail.page({ ...questionOf(asked), reader, limit, cursor }));
  }

  @Get('export')
  @ApiOperation({
    operationId: 'exportMerchantAuditTrail',
    summary: "Fetch the merchant's audit trail, or a part of it, as a file",
  })
  @ApiAuditFile()
  @ApiProblems(PROBLEMS)
  async export(
    @Query() asked: MerchantAuditExportParameters,
    @Req() request: FastifyRequest,
    @Calling() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const reader = await this.#readerOf(caller, asked.merchant);
    await this.exports.send({ ...questionOf(asked), reader }, { request, reply, format: asked.format });
  }

  /** @throws Problem 403, or 404 when there is no such merchant */
  async #readerOf(caller: Caller, named: string | undefined): Promise<{ readonly merchant: string }> {
    const { id } = await this.merchants.find(merchantFor(caller, named));
    return { merchant: id };
  }
}
