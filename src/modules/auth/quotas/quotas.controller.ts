// Any merchant's quota over HTTP, for the operator.
import { Body, Controller, Get, Param, Put, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller, originOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Calling, CallerGuard, NeedsScope } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { InputPipe } from '../input.pipe.js';
import { MERCHANT_UNKNOWN } from '../merchants/merchant.desk.js';
import { QuotaDesk, type QuotaFound } from './quota.desk.js';
import { QuotaAnswer, SetQuotaBody } from './quota.dto.js';

const ETAG = {
  ETag: {
    description: "The quota's version, for If-Match. A warning changes it, too.",
    schema: { type: 'string', example: '"0"' },
  },
} as const;

const ApiMerchant = () => ApiParam({ name: 'id', description: "The merchant's id.", example: 'default' });

@ApiTags('Operators')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor, FoundInterceptor)
@UsePipes(InputPipe)
@NeedsScope('operator')
@Controller('admin/v1/merchants/:id/quota')
export class QuotasController {
  constructor(private readonly desk: QuotaDesk) {}

  @Get()
  @ApiMerchant()
  @ApiOperation({ operationId: 'getAnyQuota', summary: "Read a merchant's quota, and what it has used" })
  @ApiResponse({ status: 200, type: QuotaAnswer, headers: ETAG })
  @ApiProblems({ 404: MERCHANT_UNKNOWN })
  async get(@Param('id') id: string): Promise<Found> {
    return found(await this.desk.find(id));
  }

  @Put()
  @ApiMerchant()
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag of the quota as last read.' })
  @ApiOperation({
    operationId: 'setQuota',
    summary: 'Set how many events a merchant may send in a month',
    description: 'Holds from now on, in this month, too: intake knows of it within seconds.',
  })
  @ApiResponse({ status: 200, type: QuotaAnswer, headers: ETAG })
  @ApiProblems({
    400: 'Some fields are not valid.',
    404: MERCHANT_UNKNOWN,
    409: 'The quota has changed since it was read: read it again.',
  })
  async set(
    @Param('id') id: string,
    @Body() { eventsPerMonth, gracePercent = 0, policy = 'refuse' }: SetQuotaBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    const quota = { eventsPerMonth, gracePercent, policy };
    return found(await this.desk.set(id, { quota, expected, origin: originOf(caller) }));
  }
}

const found = ({ version, answer }: QuotaFound): Found => ({
  path: `/admin/v1/merchants/${answer.merchant}/quota`,
  revision: version,
  answer,
});
