// What a merchant has sent, and may send, over HTTP: the caller's own, or the one that the operator names.
import { Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiProduces, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import type { Caller } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { merchantFor } from '../merchants/acting.js';
import { MERCHANT_UNKNOWN } from '../merchants/merchant.desk.js';
import { MerchantParameters } from '../merchants/merchant.dto.js';
import { QuotaDesk } from './quota.desk.js';
import { UsageDesk } from './usage.desk.js';
import { QuotaAnswer, UsageAnswer, usageCsv, UsageParameters } from './quota.dto.js';

const CSV = 'text/csv';
const CSV_EXAMPLE = 'site,domain,events,hidden,dropped\r\ns7Gk2mQx9RtP,shop.example,812345,0,0\r\n';

@ApiExtraModels(UsageAnswer)
@ControlPlaneController('v1/merchant', { tag: 'Merchant' })
@NeedsScope('stats:read', 'sites:admin')
export class MerchantUsageController {
  constructor(
    private readonly quotas: QuotaDesk,
    private readonly usages: UsageDesk,
  ) {}

  @Get('quota')
  @ApiOperation({
    operationId: 'getQuota',
    summary: 'Read how many events the merchant may send in a month, and how many it has sent',
  })
  @ApiResponse({ status: 200, type: QuotaAnswer })
  @ApiProblems({ 400: 'merchant is not valid.', 404: MERCHANT_UNKNOWN })
  async quota(@Query() { merchant }: MerchantParameters, @Calling() caller: Caller): Promise<QuotaAnswer> {
    return (await this.quotas.find(merchantOf(caller, merchant))).answer;
  }

  @Get('usage')
  @ApiOperation({
    operationId: 'getUsage',
    summary: 'Read how many events each site has sent in a month',
    description:
      'Events that were accepted, as intake wrote them down some seconds ago, those of them that are hidden because the merchant is over its quota, and those that were not kept. With `Accept: text/csv` the sites of the page as CSV.',
  })
  @ApiProduces('application/json', CSV)
  @ApiResponse({
    status: 200,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(UsageAnswer) } },
      [CSV]: { schema: { type: 'string' }, example: CSV_EXAMPLE },
    },
  })
  @ApiProblems({ 400: 'A parameter is not valid.', 404: MERCHANT_UNKNOWN })
  async usage(
    @Query() { merchant, month, limit, cursor }: UsageParameters,
    @Calling() caller: Caller,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageAnswer | string> {
    const used = await this.usages.used(merchantOf(caller, merchant), { month, limit, cursor });
    void reply.header('vary', 'Accept');
    if (headers.accept?.startsWith(CSV) !== true) return used;
    void reply.type(`${CSV}; charset=utf-8`);
    return usageCsv(used);
  }
}

/** @throws Problem 403 for a key of one site: it sees nothing of the merchant's others. */
function merchantOf(caller: Caller, named: string | undefined): string {
  if (caller.site !== null) throw Problem.forbidden("This needs a key for all of the merchant's sites.");
  return merchantFor(caller, named);
}
