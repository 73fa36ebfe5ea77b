// Which sites and merchants were deleted, and what has become of their rows, over HTTP, for the operator.
import { Controller, Get, Query, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../api-answers.js';
import { CallerGuard, NeedsScope } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import { Deletions } from './deletions.js';
import { deletionAnswer, DeletionListAnswer, DeletionParameters } from './deletions.dto.js';

@ApiTags('Operators')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@NeedsScope('operator')
@Controller('admin/v1/deletions')
export class DeletionsController {
  constructor(private readonly deletions: Deletions) {}

  @Get()
  @ApiOperation({
    operationId: 'listDeletions',
    summary: 'List deleted merchants and sites, and what has become of their rows',
  })
  @ApiResponse({ status: 200, type: DeletionListAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async list(@Query() { limit, cursor, merchant }: DeletionParameters): Promise<DeletionListAnswer> {
    const page = await this.deletions.page({ limit, cursor, merchant });
    return { deletions: page.items.map(deletionAnswer), next_cursor: page.nextCursor };
  }
}
