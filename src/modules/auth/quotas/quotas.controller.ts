// Any merchant's quota over HTTP, for the operator.
import { Body, Delete, Get, HttpCode, Param, Post, Put, UseInterceptors } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { type Caller, originOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { changedSince } from '../entity-tag.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { MERCHANT_UNKNOWN } from '../merchants/merchant.desk.js';
import { QuotaDesk, type QuotaFound } from './quota.desk.js';
import { QuotaDirectory } from './quota.directory.js';
import { QuotaAnswer, RevealBody, SetQuotaBody } from './quota.dto.js';

const ETAG = {
  ETag: {
    description: "The quota's version, for If-Match. A warning changes it, too.",
    schema: { type: 'string', example: '"0"' },
  },
} as const;

const ApiMerchant = () => ApiParam({ name: 'id', description: "The merchant's id.", example: 'default' });

@ControlPlaneController('admin/v1/merchants/:id/quota', { tag: 'Operators' })
@UseInterceptors(FoundInterceptor)
@NeedsScope('operator')
export class QuotasController {
  constructor(
    private readonly desk: QuotaDesk,
    private readonly quotas: QuotaDirectory,
  ) {}

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
    409: changedSince('quota'),
  })
  async set(
    @Param('id') id: string,
    @Body() { eventsPerMonth, gracePercent = 0, policy, samplePercent }: SetQuotaBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    const { standard } = this.quotas;
    const quota = {
      ...{ eventsPerMonth, gracePercent },
      policy: policy ?? standard.policy,
      samplePercent: samplePercent ?? standard.samplePercent,
    };
    return found(
      await this.desk.change(id, { change: { kind: 'set', quota }, expected, origin: originOf(caller) }),
    );
  }

  @Delete()
  @ApiMerchant()
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag of the quota as last read.' })
  @ApiOperation({
    operationId: 'removeQuota',
    summary: "Take a merchant's own quota back: the installation's default holds again",
    description: 'Answers what holds from now on.',
  })
  @ApiResponse({ status: 200, type: QuotaAnswer, headers: ETAG })
  @ApiProblems({
    404: MERCHANT_UNKNOWN,
    409: changedSince('quota'),
  })
  async remove(
    @Param('id') id: string,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    return found(
      await this.desk.change(id, { change: { kind: 'remove' }, expected, origin: originOf(caller) }),
    );
  }

  @Post('reveal')
  @HttpCode(200)
  @ApiMerchant()
  @ApiOperation({
    operationId: 'revealHidden',
    summary: 'Show what was hidden of a month because the merchant was over its quota',
    description:
      'At once, and in that month nothing more is hidden. Of a month without anything hidden, nothing happens.',
  })
  @ApiResponse({ status: 200, type: QuotaAnswer, headers: ETAG })
  @ApiProblems({ 400: 'month is not valid.', 404: MERCHANT_UNKNOWN })
  async reveal(
    @Param('id') id: string,
    @Body() { month }: RevealBody,
    @Calling() caller: Caller,
  ): Promise<Found> {
    const change = { kind: 'reveal', month } as const;
    return found(await this.desk.change(id, { change, expected: 'any', origin: originOf(caller) }));
  }
}

const found = ({ version, answer }: QuotaFound): Found => ({
  path: `/admin/v1/merchants/${answer.merchant}/quota`,
  revision: version,
  answer,
});
